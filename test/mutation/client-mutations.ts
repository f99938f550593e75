import { type Mutation, mutation } from "./mutation";

/** Bugs of the client. Each was a defect that was mended. */
export const clientMutations: readonly Mutation[] = [
	mutation(
		"src/client/client-connection.ts",
		"\t\tnegotiated.maximumQoS = 1;\n",
		"",
		"a broker that answers QoS 2 with PUBACK is sent QoS 2 for ever",
		["test/client/qos2-outgoing.test.ts"],
	),
	mutation(
		"src/client/client-connection.ts",
		"if (negotiated.version !== 4 || outbound",
		"if (outbound",
		"a PUBACK for QoS 2 over MQTT 5.0 counts as a missing QoS 2",
		["test/client/qos2-outgoing.test.ts"],
	),
	mutation(
		"src/client/client-connection.ts",
		"outbound.inFlight.state(packetId) !== PUBREC_PENDING) return false;",
		"outbound.inFlight.state(packetId) < 0) return false;",
		"a PUBACK after PUBREC counts as a missing QoS 2",
		["test/client/qos2-outgoing.test.ts"],
	),
	mutation(
		"src/client/incoming-packets.ts",
		"packet.type === PUBACK && this.connection",
		"this.connection",
		"a PUBCOMP before PUBREC counts as a missing QoS 2",
		["test/client/qos2-outgoing.test.ts"],
	),
	mutation(
		"src/session/negotiated.ts",
		"\t\tif (this.version === 5) this.maximumQoS = 2;\n",
		"\t\tthis.maximumQoS = 2;\n",
		"each connection over MQTT 3.1.1 finds out anew that QoS 2 is missing",
		["test/client/qos2-outgoing.test.ts"],
	),
	mutation(
		"src/client/queue/queued-properties.ts",
		"elapsed < FAR_BACK_MS ? elapsed + TICKS_RANGE_MS : elapsed;",
		"elapsed;",
		"messages in a queue that nobody asks for weeks never expire",
		["test/client/message-properties.test.ts"],
	),
	mutation(
		"src/client/client.ts",
		"\t\t\tconnection.encoder.length === 0 &&\n",
		"",
		"a message for which the socket had no room never leaves",
		["test/client/socket-room.test.ts"],
	),
];
