import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CONNACK, DISCONNECT, PUBACK, PUBREC } from "../../src/mqtt/constants";
import * as broker from "../../src/session/broker-phase";
import * as client from "../../src/session/client-phase";
import { IGNORED, UNREAD, VIOLATION } from "../../src/session/phase";

const packets = {
	reserved: 0,
	CONNECT: 1,
	CONNACK: 2,
	PUBLISH: 3,
	PUBACK: 4,
	PUBREC: 5,
	PUBREL: 6,
	PUBCOMP: 7,
	SUBSCRIBE: 8,
	SUBACK: 9,
	UNSUBSCRIBE: 10,
	UNSUBACK: 11,
	PINGREQ: 12,
	PINGRESP: 13,
	DISCONNECT: 14,
	AUTH: 15,
} as const;

const { OPEN, TCP_CONNECTED, PIPELINE, SEND, CLOSE, STAGE_DISCONNECT, DISCONNECT_LEFT, FAIL, DROP, END } =
	client;
const { CONNACK_REFUSES, DISCONNECT_FAILS } = client;
const clientPackets = { ...packets, CONNACK_REFUSES, DISCONNECT_FAILS } as const;
const clientEvents = {
	OPEN,
	TCP_CONNECTED,
	PIPELINE,
	SEND,
	CLOSE,
	STAGE_DISCONNECT,
	DISCONNECT_LEFT,
	FAIL,
	DROP,
	END,
} as const;
const { ACCEPT, HOLD_CONNECT, RESUME_CONNECT, DEFER_CONNECT, ACCEPT_CONNECT, DRAIN } = broker;
const brokerEvents = {
	ACCEPT,
	HOLD_CONNECT,
	RESUME_CONNECT,
	DEFER_CONNECT,
	ACCEPT_CONNECT,
	CLOSE: broker.CLOSE,
	DRAIN,
	END: broker.END,
} as const;

/** Each phase with the letter that stands for it in the golden tables. */
const clientPhases = {
	"o CLOSED": client.CLOSED,
	"t CONNECTING": client.CONNECTING,
	"w AWAITING_CONNACK": client.AWAITING_CONNACK,
	"m MAY_PIPELINE": client.MAY_PIPELINE,
	"p PIPELINED": client.PIPELINED,
	"a CLOSE_AWAITS_CONNACK": client.CLOSE_AWAITS_CONNACK,
	"b CLOSE_PIPELINED": client.CLOSE_PIPELINED,
	"d DISCONNECT_PIPELINED": client.DISCONNECT_PIPELINED,
	"e DISCONNECTED_PIPELINED": client.DISCONNECTED_PIPELINED,
	"C CONNECTED": client.CONNECTED,
	"R CLOSE_REQUESTED": client.CLOSE_REQUESTED,
	"D DISCONNECTING": client.DISCONNECTING,
	"E DISCONNECTED": client.DISCONNECTED,
	"F FAILING": client.FAILING,
	"X DROPPED": client.DROPPED,
} as const;
const brokerPhases = {
	"o FREE": broker.FREE,
	"w AWAITING_CONNECT": broker.AWAITING_CONNECT,
	"u CONNECT_UNREAD": broker.CONNECT_UNREAD,
	"a AUTHENTICATING": broker.AUTHENTICATING,
	"C CONNECTED": broker.CONNECTED,
	"X CLOSING": broker.CLOSING,
	"D DRAINING": broker.DRAINING,
} as const;

/**
 * A table as text: a row for each event, a column for each phase. A letter is the phase that follows, "=" the
 * same one, "-" ignored, "~" unread, "!" a violation.
 */
function grid<Phase extends number, Event extends number>(
	phases: Readonly<Record<string, Phase>>,
	events: Readonly<Record<string, Event>>,
	after: (phase: Phase, event: Event) => number,
): string {
	const letter = (phase: Phase, next: number): string => {
		if (next === VIOLATION) return "!";
		if (next === IGNORED) return "-";
		if (next === UNREAD) return "~";
		if (next === phase) return "=";
		return Object.keys(phases).find((name) => phases[name] === next)?.[0] ?? "?";
	};
	const header = Object.keys(phases).map((name) => name[0]);
	return [["", header] as const, ...Object.entries(events)]
		.map(([name, event]) =>
			typeof event === "number"
				? `${name.padEnd(17)}${Object.values(phases)
						.map((phase) => letter(phase, after(phase, event)))
						.join(" ")}`
				: `${name.padEnd(17)}${event.join(" ")}`,
		)
		.join("\n");
}

describe("phases of a client's connection", () => {
	// Written by hand from §3.1, §3.2, §3.14 and §4.12 of both versions. [MQTT-3.2.0-1] [MQTT-3.2.0-2]
	// [MQTT-3.14.0-1] [MQTT-3.14.4-1] [MQTT-4.12.0-6] [MQTT-4.13.1-1] [MQTT-3.1.1:3.2.0-1] [MQTT-3.1.1:4.8.0-1]
	test("every packet of the broker has the result that the specification asks for", () => {
		const golden = `
                 o t w m p a b d e C R D E F X
reserved         - - ! ! ! ! ! ! ! ! ! ! ! - -
CONNECT          - - ! ! ! ! ! ! ! ! ! ! ! - -
CONNACK          - - C C C R R D E ! ! ! ! - -
PUBLISH          - - ! ! ! ! ! ! ! = = - - - -
PUBACK           - - ! ! ! ! ! ! ! = = = = - -
PUBREC           - - ! ! ! ! ! ! ! = = - - - -
PUBREL           - - ! ! ! ! ! ! ! = = - - - -
PUBCOMP          - - ! ! ! ! ! ! ! = = = = - -
SUBSCRIBE        - - ! ! ! ! ! ! ! ! ! ! ! - -
SUBACK           - - ! ! ! ! ! ! ! = = = = - -
UNSUBSCRIBE      - - ! ! ! ! ! ! ! ! ! ! ! - -
UNSUBACK         - - ! ! ! ! ! ! ! = = = = - -
PINGREQ          - - ! ! ! ! ! ! ! ! ! ! ! - -
PINGRESP         - - ! ! ! ! ! ! ! = = - - - -
DISCONNECT       - - ! ! ! ! ! ! ! o - - - - -
AUTH             - - = = = = = = = = = = = - -
CONNACK_REFUSES  - - o o o o o o o ! ! ! ! - -
DISCONNECT_FAILS - - ! ! ! ! ! ! ! o o o o - -`;
		assert.equal(`\n${grid(clientPhases, clientPackets, client.clientPhaseAfter)}`, golden);
	});

	test("every event of this end has its phase, or is not possible", () => {
		const golden = `
                 o t w m p a b d e C R D E F X
OPEN             t ! ! ! ! ! ! ! ! ! ! ! ! ! !
TCP_CONNECTED    ! w ! ! ! ! ! ! ! ! ! ! ! ! !
PIPELINE         ! ! m ! ! ! ! ! ! ! ! ! ! ! !
SEND             ! ! ! p = ! ! ! ! = ! ! ! ! !
CLOSE            ! X a b b ! ! ! ! R ! ! ! ! !
STAGE_DISCONNECT ! ! ! ! ! ! d ! ! ! D ! ! ! !
DISCONNECT_LEFT  ! ! ! ! ! ! ! e ! ! ! E ! ! !
FAIL             ! ! ! ! ! ! ! ! ! F F ! ! ! !
DROP             ! X X X X X X X X X X X X X =
END              ! o o o o o o o o o o o o o o`;
		assert.equal(`\n${grid(clientPhases, clientEvents, client.clientPhaseAfter)}`, golden);
	});

	// [MQTT-3.14.4-1]
	test("after DISCONNECT nothing is sent, and every way on leads to the end", () => {
		const seen = new Set<number>([client.DISCONNECT_PIPELINED, client.DISCONNECTING, client.FAILING]);
		for (const phase of seen) {
			assert.equal(client.clientPhaseAfter(phase as client.ClientPhase, SEND), VIOLATION);
			for (const event of Object.values({ ...clientPackets, ...clientEvents })) {
				const next = client.clientPhaseAfter(phase as client.ClientPhase, event);
				if (next !== VIOLATION && next !== IGNORED && next !== client.CLOSED) seen.add(next);
			}
		}
		assert.ok(!seen.has(client.CONNECTED) && !seen.has(client.CLOSE_REQUESTED));
		assert.equal(seen.size, 6);
	});

	test("what was sent before CONNACK is told by the phase", () => {
		const names = Object.entries(clientPhases);
		const where = (holds: (phase: client.ClientPhase) => boolean) =>
			names.flatMap(([name, phase]) => (holds(phase) ? name[0] : [])).join("");
		assert.equal(where(client.isBeforeConnack), "wmpabde");
		assert.equal(where(client.hasPipelined), "pde");
		assert.equal(where(client.isReading), "wmpabdeCRDE");
	});

	test("CONNACK and DISCONNECT with a reason code of 0x80 or above are events of their own", () => {
		assert.equal(client.clientEvent(CONNACK, 0), CONNACK);
		assert.equal(client.clientEvent(CONNACK, 0x80), CONNACK_REFUSES);
		assert.equal(client.clientEvent(DISCONNECT, 0x04), DISCONNECT);
		assert.equal(client.clientEvent(DISCONNECT, 0x8b), DISCONNECT_FAILS);
		assert.equal(client.clientEvent(PUBACK, 0x97), PUBACK);
		assert.equal(client.clientEvent(PUBREC, 0x97), PUBREC);
	});
});

describe("phases of a broker's connection", () => {
	// [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-3.14.4-1] [MQTT-4.12.0-6] [MQTT-3.1.1:3.1.0-1] [MQTT-3.1.1:3.1.0-2]
	test("every packet of the client has the result that the specification asks for", () => {
		const golden = `
                 o w u a C X D
reserved         - ! ~ ~ ! - -
CONNECT          - = ~ ~ ! - -
CONNACK          - ! ~ ~ ! - -
PUBLISH          - ! ~ ~ = - -
PUBACK           - ! ~ ~ = - -
PUBREC           - ! ~ ~ = - -
PUBREL           - ! ~ ~ = - -
PUBCOMP          - ! ~ ~ = - -
SUBSCRIBE        - ! ~ ~ = - -
SUBACK           - ! ~ ~ ! - -
UNSUBSCRIBE      - ! ~ ~ = - -
UNSUBACK         - ! ~ ~ ! - -
PINGREQ          - ! ~ ~ = - -
PINGRESP         - ! ~ ~ ! - -
DISCONNECT       - ! ~ ~ X - -
AUTH             - ! ~ ~ ! - -`;
		assert.equal(`\n${grid(brokerPhases, packets, broker.brokerPhaseAfter)}`, golden);
	});

	test("every event of this end has its phase, or is not possible", () => {
		const golden = `
                 o w u a C X D
ACCEPT           w ! ! ! ! ! !
HOLD_CONNECT     ! u = ! ! ! !
RESUME_CONNECT   ! = w ! ! ! !
DEFER_CONNECT    ! a ! ! ! ! !
ACCEPT_CONNECT   ! C ! C ! ! !
CLOSE            ! X X X X ! !
DRAIN            ! ! ! ! ! D !
END              ! o o o o o o`;
		assert.equal(`\n${grid(brokerPhases, brokerEvents, broker.brokerPhaseAfter)}`, golden);
	});

	test("what a client waits for before CONNACK is told by the phase", () => {
		const where = (holds: (phase: broker.BrokerPhase) => boolean) =>
			Object.entries(brokerPhases)
				.flatMap(([name, phase]) => (holds(phase) ? name[0] : []))
				.join("");
		assert.equal(where(broker.isBeforeConnack), "wua");
		assert.equal(where(broker.awaitsAuthentication), "ua");
	});
});
