/** One small bug, planted by replacing a text that occurs once in a file. */
export interface Mutation {
	readonly file: string;
	readonly text: string;
	readonly replacement: string;
	/** What breaks for a user. */
	readonly breaks: string;
	/** Test files or folders that should notice. */
	readonly tests: readonly string[];
}

const BROKER = [
	"test/broker/delivery-limits.test.ts",
	"test/broker/publish-subscribe.test.ts",
	"test/broker/mqtt5-features.test.ts",
	"test/broker/connect-handler.test.ts",
	"test/broker/sessions.test.ts",
	"test/broker/qos2.test.ts",
	"test/broker/pool-limits.test.ts",
	"test/broker/robustness.test.ts",
	"test/conformance",
];
const STORED = [
	"test/broker/retained-store.test.ts",
	"test/broker/publish-subscribe.test.ts",
	"test/broker/message-expiry.test.ts",
];
const PERSISTENCE = [
	"test/broker/persistence.test.ts",
	"test/broker/persistence-recovery.test.ts",
	"test/broker/transactional-store.test.ts",
];
const JOIN = ["test/sim/fast-join.test.ts"];
const ACCESS = ["test/access/rules.test.ts", "test/access/broker-access.test.ts"];
const CODEC = [
	"test/mqtt/golden.test.ts",
	"test/mqtt/topics.test.ts",
	"test/mqtt/decoder.test.ts",
	"test/mqtt/encoder.test.ts",
	"test/conformance/wire.test.ts",
];
const CLIENT = [
	"test/client/connection-lifecycle.test.ts",
	"test/client/keepalive.test.ts",
	"test/client/handshake.test.ts",
	"test/client/server-limits.test.ts",
	"test/client/faults.test.ts",
	"test/client/incoming-messages.test.ts",
	"test/client/connack-errors.test.ts",
	"test/conformance/client.test.ts",
];
const NODE = [
	"test/sensor/node.test.ts",
	"test/sensor/pipeline.test.ts",
	"test/sensor/session.test.ts",
	"test/sensor/topic-backoff.test.ts",
	"test/sensor/sample-schedule.test.ts",
	"test/sensor/always-on.test.ts",
];
const MEASURING = ["test/sensor/calibration.test.ts", "test/sensor/averaging.test.ts"];
const OUTBOX = ["test/sensor/outbox.test.ts", "test/sensor/node.test.ts"];
const WEBSOCKET = ["test/websocket/stream.test.ts", "test/websocket/request.test.ts"];
const DELIVERY = ["test/session", "test/broker/acknowledgement-types.test.ts"];
const CRYPTO = ["test/crypto"];
const CONFIG = ["test/config"];

function mutation(
	file: string,
	text: string,
	replacement: string,
	breaks: string,
	tests: readonly string[],
): Mutation {
	return { file, text, replacement, breaks, tests };
}

export const mutations: readonly Mutation[] = [
	// src/mqtt
	mutation(
		"src/mqtt/topics.ts",
		"if (topic[t] === DOLLAR && (filter[f] === HASH || filter[f] === PLUS)) return false;",
		"if (topic[t] === DOLLAR && filter[f] === HASH) return false;",
		"+/… matches $SYS/…",
		CODEC,
	),
	mutation(
		"src/mqtt/topics.ts",
		"return byte === SLASH && f + 2 === filterEnd && filter[f + 1] === HASH;",
		"return false;",
		"a/# does not match its parent a",
		CODEC,
	),
	mutation(
		"src/mqtt/topics.ts",
		"(i < end - 1 && bytes[i + 1] !== SLASH)",
		"false",
		"a filter such as +x/y is accepted",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/fixed-header.ts",
		"if ((flags & 14) === 8)",
		"if ((flags & 15) === 8)",
		"a retained QoS 0 PUBLISH with DUP is accepted",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/connect.ts",
		"if ((flags & 1) !== 0)",
		"if (false)",
		"a CONNECT with the reserved flag is accepted",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/acknowledgement.ts",
		"if (length === 3) return 0; // §3.4.2.2.1",
		'if (length === 3) return packet.refuse(MALFORMED_PACKET, "too short");',
		"an acknowledgement with a reason code and no properties is refused",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/properties.ts",
		"id !== USER_PROPERTY && id !== repeatable",
		"id !== repeatable",
		"a PUBLISH with two user properties is refused",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/publish.ts",
		"if (fromClient && properties.has(SUBSCRIPTION_IDENTIFIER))",
		"if (false)",
		"a client may send subscription identifiers to others",
		CODEC,
	),
	mutation(
		"src/mqtt/decode/subscribe.ts",
		"shared < 0 || filterEnd === at + 2",
		"shared < 0",
		"an empty topic filter is accepted",
		CODEC,
	),
	mutation(
		"src/mqtt/utf8.ts",
		"else if (byte === 0xf4) high = 0x8f;",
		"",
		"code points above U+10FFFF are accepted",
		CODEC,
	),

	// src/session and the broker's handlers
	mutation(
		"src/session/delivery.ts",
		"[PUBREL_PENDING, PUBLISH_ARRIVES, SEND_PUBREC, PUBREL_PENDING]",
		"[PUBREL_PENDING, PUBLISH_ARRIVES, DELIVER, PUBREL_PENDING]",
		"a repeated QoS 2 message is delivered twice",
		["test/broker/qos2.test.ts", "test/client/incoming-messages.test.ts"],
	),
	mutation(
		"src/session/delivery.ts",
		"[IDLE, PUBCOMP_ARRIVES, IGNORE, IDLE]",
		"[IDLE, PUBCOMP_ARRIVES, PROTOCOL_VIOLATION, IDLE]",
		"a late PUBCOMP closes the connection",
		DELIVERY,
	),
	mutation(
		"src/session/delivery.ts",
		"return reasonCode >= UNSPECIFIED_ERROR ? REFUSAL_ARRIVES",
		"return reasonCode > UNSPECIFIED_ERROR ? REFUSAL_ARRIVES",
		"PUBREC 0x80 counts as accepted",
		DELIVERY,
	),
	mutation(
		"src/broker/handlers/dispatcher.ts",
		"if (packet.reasonCode === SUCCESS) sessions.dropWill(session);",
		"sessions.dropWill(session);",
		"DISCONNECT with will message does not publish the will",
		BROKER,
	),
	mutation(
		"src/broker/handlers/dispatcher.ts",
		"if (sessions.expirySeconds(session) === 0 && properties.number !== 0) {",
		"if (false) {",
		"a clean session becomes one that lasts by DISCONNECT",
		BROKER,
	),
	mutation(
		"src/broker/handlers/publish-handler.ts",
		"if (alias > aliases.granted(connection.index)) {",
		"if (alias > aliases.granted(connection.index) + 1) {",
		"an alias above the maximum is accepted",
		BROKER,
	),
	mutation(
		"src/broker/handlers/connect-handler.ts",
		"connection.receiveMaximum = Math.min(connection.receiveMaximum, settings.inFlight); // [MQTT-4.9.0-1]",
		"connection.receiveMaximum = settings.inFlight;",
		"a client's Receive Maximum is ignored",
		BROKER,
	),
	mutation(
		"src/broker/handlers/connack.ts",
		"if (keepAlive !== packet.keepAlive) properties.serverKeepAlive(keepAlive);",
		"",
		"a client is not told of a shorter keep alive and is cut",
		BROKER,
	),
	mutation(
		"src/broker/handlers/connect-handler.ts",
		"if (packet.hasPassword) packet.bytes.fill(0, packet.passwordStart, packet.passwordEnd);",
		"",
		"passwords stay in memory",
		["test/access/password-wiping.test.ts"],
	),
	mutation(
		"src/broker/handlers/dispatcher.ts",
		"if (this.#connectResult !== SUCCESS) return false;",
		"if (this.#connectResult !== SUCCESS && this.#connectResult !== QUOTA_EXCEEDED) return false;",
		"a clean CONNECT that is refused for lack of places ends the old session",
		BROKER,
	),
	mutation(
		"src/broker/handlers/subscribe-handler.ts",
		"if (removed !== 0 && removed === connection.retainedSubscription) connection.retainedSubscription = 0;",
		"",
		"after UNSUBSCRIBE during the delivery of stored values the rest still arrives",
		BROKER,
	),
	mutation(
		"src/broker/handlers/session-end.ts",
		"if (retainedSubscription !== 0 && core.sessions.persistent(session))",
		"if (false)",
		"stored values that were not sent yet are forgotten at a reconnect",
		BROKER,
	),
	mutation(
		"src/broker/session/sessions.ts",
		"const id = this.#rows[row] === 0xffff ? 1 : this.#rows[row] + 1;",
		"const id = (this.#rows[row] + 1) & 0xffff;",
		"packet identifier 0 is used after 65,535",
		BROKER,
	),
	mutation(
		"src/broker/timeouts.ts",
		"if (due < this.#dueAt) this.schedule(due);",
		"this.schedule(due);",
		"a later timeout postpones an earlier one",
		BROKER,
	),

	// src/broker/delivery and topics
	mutation(
		"src/broker/delivery/publish-writer.ts",
		"if (size > connection.maximumPacketSize) return TOO_LARGE; // [MQTT-3.1.2-24] [MQTT-3.1.2-25]",
		"",
		"the second recipient of a message gets more than its Maximum Packet Size",
		BROKER,
	),
	mutation(
		"src/broker/delivery/publish-writer.ts",
		"if (newAlias) aliases.unassign(index, alias);",
		"",
		"an alias that was never sent counts as known, and its message arrives without a topic",
		BROKER,
	),
	mutation(
		"src/broker/delivery/recipients.ts",
		"if (session === publisher && subscriptions.noLocal(subscription)) continue;",
		"",
		"No Local is ignored",
		BROKER,
	),
	mutation(
		"src/broker/delivery/recipients.ts",
		"if (qos > (sums[row + FLAGS] & 3))",
		"if (qos < (sums[row + FLAGS] & 3))",
		"overlapping subscriptions deliver with the lowest QoS",
		BROKER,
	),
	mutation(
		"src/broker/topics/subscriptions.ts",
		"if (known === 0 && (options & SYS_FILTER) !== 0) this.sysCount++;",
		"",
		"$SYS topics reach nobody",
		["test/broker/sys-topics.test.ts", "test/broker/publish-subscribe.test.ts"],
	),
	mutation(
		"src/broker/topics/retained-store.ts",
		"if (!message.retain) this.remove(record, bucket);",
		"",
		"an older value looks current where the newer one found no room",
		STORED,
	),
	mutation(
		"src/broker/topics/retained-store.ts",
		"while (this.#occupied[cursor] === 0 || this.messages.isRetained(cursor));",
		"while (this.#occupied[cursor] === 0);",
		"a retained value is evicted for a live one",
		STORED,
	),
	mutation(
		"src/broker/handlers/wills.ts",
		"return delay === 0;",
		"return true;",
		"a will is published at once and not after its delay",
		BROKER,
	),

	// src/broker/persist
	mutation(
		"src/broker/persist/transactional-store.ts",
		"		const key = commitKey(generation);\n		storage.sync?.();\n",
		"		const key = commitKey(generation);\n",
		"a commit record reaches the disk before its records",
		PERSISTENCE,
	),
	mutation(
		"src/broker/persist/transactional-store.ts",
		"			storage.write(key, codec.finish(generation, COMMIT));\n			storage.sync?.();\n",
		"			storage.write(key, codec.finish(generation, COMMIT));\n",
		"a stored transaction is lost by a power cut",
		PERSISTENCE,
	),
	mutation(
		"src/broker/persist/transactional-store.ts",
		"		this.#storage.sync?.();\n		this.#commitDoubtful = false;",
		"		this.#commitDoubtful = false;",
		"half a transaction is committed after a failed commit",
		PERSISTENCE,
	),
	mutation(
		"src/broker/persist/record-codec.ts",
		"this.writeU16(Math.floor(value / TWO_32));",
		"this.writeU16(0);",
		"stored times lose their upper bits",
		[...PERSISTENCE, "test/broker/persistence-model.test.ts"],
	),
	mutation(
		"src/broker/persist/subscription-records.ts",
		"Math.max(sharedFilterStart(bytes, at, end), 0),",
		"0,",
		"shared subscriptions are ordinary ones after a restart",
		PERSISTENCE,
	),

	// src/broker/access
	mutation(
		"src/broker/access/rules.ts",
		"((flags & NAMES_USER) !== 0 && user === 0)",
		"false",
		"a rule for {user} applies to anonymous clients",
		ACCESS,
	),
	mutation(
		"src/broker/access/rules.ts",
		"if (idEnd - idStart !== end - at) return false;",
		"",
		"a rule for client a applies to a client whose identifier begins with it",
		ACCESS,
	),
	mutation(
		"src/broker/access/topic-patterns.ts",
		"if (covering && level !== PLUS) return false;",
		"",
		"a deny rule refuses a filter that it covers only in part",
		ACCESS,
	),
	mutation(
		"src/broker/access/topic-patterns.ts",
		"if (at + nameEnd - i > end) return -1;",
		"",
		"a placeholder reads beyond the topic",
		ACCESS,
	),

	// src/client
	mutation(
		"src/client/keep-alive.ts",
		"	start(seconds: number, now: number): void {\n		this.#pingInFlight = false;\n",
		"	start(seconds: number, now: number): void {\n",
		"an unanswered PINGREQ of the last connection makes a stray PINGRESP legal",
		CLIENT,
	),
	mutation(
		"src/client/keep-alive.ts",
		"this.#idleLimitMs = seconds * 750;",
		"this.#idleLimitMs = seconds * 1600;",
		"PINGREQ comes after the broker has cut the client",
		CLIENT,
	),
	mutation(
		"src/client/deadlines.ts",
		"if (this.#armedForMs < 0 || duration < this.#armedForMs - this.#time.delta(this.#armedAt, now))",
		"if (this.#armedForMs < 0)",
		"a shorter deadline waits for a longer one",
		CLIENT,
	),
	mutation(
		"src/session/negotiated.ts",
		"this.maximumPacketSize = cached.maximumPacketSize || UNLIMITED;",
		"",
		"the first flight exceeds the broker's cached packet size",
		[...CLIENT, ...NODE],
	),
	mutation(
		"src/client/incoming-packets.ts",
		"if (sessionPresent && this.options.cleanStart)",
		"if (false)",
		"a broker that keeps a session after Clean Start is believed",
		CLIENT,
	),
	mutation(
		"src/client/inbound.ts",
		"if (!answers) return;",
		"if (!last) return;",
		"a message that arrives after DISCONNECT is acknowledged and lost",
		CLIENT,
	),
	mutation(
		"src/client/client-connection.ts",
		"if (this.negotiated.version === 4 || !this.enter(FAIL)) {",
		"if (!this.enter(FAIL)) {",
		"a DISCONNECT after an error suppresses the will of a 3.1.1 client",
		CLIENT,
	),
	mutation(
		"src/client/client.ts",
		"if (this.connection.phase !== CONNECTED) this.connection.enter(SEND);",
		"",
		"a broker that refuses packets before CONNACK is not recognised",
		[...CLIENT, ...NODE],
	),

	mutation(
		"src/client/incoming-packets.ts",
		"if (!answersEach(packet, filters))",
		"if (false)",
		"a SUBACK with too few results is believed",
		["test/client/subscriptions.test.ts"],
	),
	mutation(
		"src/client/inbound.ts",
		"if (this.#connection.isPaused) this.answerOwed = true;\n		else this.acknowledge();",
		"this.acknowledge();",
		"a message that the application has not taken is acknowledged",
		["test/client/streaming.test.ts"],
	),
	mutation(
		"src/client/client-connection.ts",
		"			!this.payloadRemaining &&\n",
		"",
		"DISCONNECT leaves inside the payload of a PUBLISH",
		["test/client/streaming.test.ts"],
	),
	mutation(
		"src/client/queue/publish-queue.ts",
		"(state === SENT ? DUP : 0)",
		"0",
		"a message that is sent again has no DUP flag",
		["test/client/publish-queue.test.ts"],
	),
	mutation(
		"src/client/queue/publish-queue.ts",
		"if (index < 0 || this.#store.packetId(index) > 0) return false;",
		"if (index < 0) return false;",
		"a message that the broker may have is taken back",
		["test/client/publish-queue.test.ts"],
	),

	// src/session
	mutation(
		"src/session/client-phase.ts",
		"[AFTER_DISCONNECT, [PUBLISH, PUBREC, PUBREL, PINGRESP], IGNORED],",
		"[AFTER_DISCONNECT, [PUBLISH, PUBREC, PUBREL, PINGRESP], SAME],",
		"after DISCONNECT a client sends acknowledgements",
		[...CLIENT, "test/client/phases.test.ts"],
	),
	mutation(
		"src/session/client-phase.ts",
		"[BEFORE_CONNACK, [AUTH], SAME],",
		"[BEFORE_CONNACK, [AUTH, PUBLISH], SAME],",
		"a message before CONNACK is believed",
		[...CLIENT, "test/client/phases.test.ts"],
	),
	mutation(
		"src/session/client-phase.ts",
		"phase === PIPELINED || phase === DISCONNECT_PIPELINED || phase === DISCONNECTED_PIPELINED",
		"phase === PIPELINED",
		"a broker that refuses packets before CONNACK is not recognised behind DISCONNECT",
		[...CLIENT, ...NODE],
	),
	mutation(
		"src/session/negotiated.ts",
		"this.isAgreed = this.sessionPresent = false;",
		"",
		"limits of an earlier connection count as those of this one",
		["test/session"],
	),
	mutation(
		"src/session/negotiated.ts",
		"		this.maximumQoS = 2;\n		this.retainAvailable = true;\n		this.#missing = 0;\n",
		"",
		"a limit that CONNACK no longer has stays",
		[...CLIENT, "test/session"],
	),
	mutation(
		"src/session/in-flight.ts",
		"table[index] += (state - stateOf(table[index])) * STATE_UNIT;",
		"table[index] = packetId + state * STATE_UNIT;",
		"a message loses its tag at PUBREC",
		["test/session"],
	),

	// src/sensor
	mutation(
		"src/sensor/report-answers.ts",
		"			inFlight.removeTag(sequence);\n",
		"",
		"a report of which one part was refused counts as delivered with the others",
		["test/sensor/packet-size.test.ts"],
	),
	mutation(
		"src/sensor/wake-up.ts",
		"		words[WORD_FLAGS] = 0;\n		clearAllBackoffs",
		"		clearAllBackoffs",
		"another broker inherits the limits of the last one",
		NODE,
	),
	mutation(
		"src/sensor/wake-up.ts",
		"		words[WORD_FLAGS] = 0;\n		clearAllBackoffs(retained);",
		"		words[WORD_FLAGS] = 0;",
		"another broker inherits the pauses of topics",
		NODE,
	),
	mutation(
		"src/sensor/node.ts",
		"			if (this.#network.onTrial) this.runTasks(TASK_JOIN_ANEW);\n			else this.endTry",
		"			this.endTry",
		"a broker that has moved is looked up in a later wake only",
		JOIN,
	),
	mutation(
		"src/sensor/node.ts",
		"		if (this.#network.onTrial) this.#timers.start(STEP_TIMER, TRIAL_LIMIT_MS);\n",
		"",
		"with an address that another host has, a wake takes three seconds more",
		JOIN,
	),
	mutation(
		"src/sensor/node-clock.ts",
		"let known = elapsed > 0;",
		"let known = true;",
		"after a reset an address is used whose lease may have ended",
		["test/sensor/node-clock.test.ts"],
	),
	mutation(
		"src/sensor/join-cache.ts",
		"const LEASE_PART = 7 / 8;",
		"const LEASE_PART = 2;",
		"an address is used after its lease",
		["test/sensor/join-cache.test.ts"],
	),
	mutation(
		"src/sensor/network-session.ts",
		"		if (this.#proof !== CONFIRMED) forgetLink(this.#retained);\n",
		"",
		"while a broker is away, each try spends two seconds on what the last one has left",
		JOIN,
	),
	mutation(
		"src/sensor/outbox.ts",
		"words[WORD_WAITING] > 2) this.thin();",
		"words[WORD_WAITING] > 1) this.thin();",
		"thinning two reports never ends",
		OUTBOX,
	),
	mutation(
		"src/sensor/outbox.ts",
		"this.#ring.setState(index, STATE_RECEIVED);",
		"",
		"a QoS 2 report is published again after PUBREL, and arrives twice",
		["test/sensor/qos2.test.ts"],
	),
	mutation(
		"src/sensor/outbox.ts",
		"		this.#ring.setState(index, STATE_DROPPING);\n",
		"",
		"a report that is dropped during a reset counts as acknowledged",
		OUTBOX,
	),
	mutation(
		"src/sensor/retained-state.ts",
		"((second - first) | 0) > 0 ? 1 : 0;",
		"second >>> 0 > first >>> 0 ? 1 : 0;",
		"after 2^32 commits the older copy is restored",
		OUTBOX,
	),
	mutation(
		"src/sensor/retained-state.ts",
		"const copy = generation & 1;",
		"const copy = 0;",
		"a reset during a commit destroys the retained state",
		OUTBOX,
	),
	mutation(
		"src/sensor/topic-backoff.ts",
		"words[WORD_REFUSED_TOPICS]--;",
		"",
		"a topic counts as refused for ever",
		NODE,
	),
	mutation(
		"src/sensor/broker-limits.ts",
		"if (now < reals[REAL_PIPELINE_RETRY]) return false;",
		"return false;",
		"a broker that once refused pipelining is never asked again",
		NODE,
	),
	mutation(
		"src/sensor/calibration.ts",
		"x > table[at]",
		"x >= table[at + 2]",
		"a value is taken through the wrong segment of a table",
		MEASURING,
	),
	mutation(
		"src/sensor/sample-window.ts",
		"if (Number.isNaN(value)) return;",
		"",
		"one failed sample spoils the mean of the others",
		MEASURING,
	),
	mutation(
		"src/sensor/sample-windows.ts",
		"if (now - due > every) clearWindow(this.state, this.windows[index]);",
		"",
		"a mean mixes samples from before and after an outage",
		MEASURING,
	),
	mutation(
		"src/sensor/battery-guard.ts",
		"if (this.extension[this.at] === EMPTY) this.extension[this.at] = SILENT;",
		"",
		"an empty battery goes on reporting",
		["test/sensor/battery.test.ts"],
	),
	mutation(
		"src/sensor/diagnostics.ts",
		"if (this.progress === NOT_SENT) return;",
		"",
		"diagnostics count as sent though no connection took them",
		["test/sensor/diagnostics.test.ts"],
	),
	mutation(
		"src/sensor/collector.ts",
		"this.#retained.markDriver(index);",
		"",
		"a driver that hangs stops every wake",
		["test/sensor/failed-readings.test.ts"],
	),
	mutation(
		"src/sensor/collector.ts",
		"if (after - before > driverLimitMs) slow = i;",
		"",
		"a driver that takes all of awakeLimit keeps all sensors from reporting",
		["test/sensor/failed-readings.test.ts"],
	),
	mutation(
		"src/sensor/retained-state.ts",
		'if (extension !== undefined && (result !== "valid" || extension[EXTENSION_HASH] !== extensionHash)) {',
		"if (extension !== undefined && extension[EXTENSION_HASH] === -1) {",
		"samples gathered under other settings are taken for those of these",
		MEASURING,
	),
	mutation(
		"src/sensor/filter.ts",
		"change + error >= delta",
		"change >= delta",
		"a change by exactly delta is not reported",
		["test/sensor/sample-schedule.test.ts", "test/sensor/number-format.test.ts", "test/sensor/node.test.ts"],
	),
	mutation(
		"src/sensor/filter.ts",
		"if (heartbeat !== undefined && elapsed >= heartbeat) return true;",
		"",
		"heartbeat is ignored",
		NODE,
	),
	mutation(
		"src/sensor/schedule.ts",
		"return next - (due - every) < every / 2 ? next + every : next;",
		"return next;",
		"a clock that is set back repeats a sample",
		["test/sensor/sample-schedule.test.ts"],
	),
	mutation(
		"src/sensor/schedule.ts",
		"const length = Math.round((until - now) / (1 + drift));",
		"const length = Math.round((until - now) * (1 + drift));",
		"sleep lengths are corrected in the wrong direction",
		["test/sensor/sample-schedule.test.ts", "test/sensor/node-clock.test.ts"],
	),

	// src/text, config, crypto, websocket
	mutation(
		"src/config/duration.ts",
		"return 3_600_000;",
		"return 360_000;",
		"an hour has six minutes",
		CONFIG,
	),
	mutation(
		"src/config/duration.ts",
		'else if (character === "." && digits > 0 && !point) {',
		'else if (character === "." && !point) {',
		".5s is accepted",
		CONFIG,
	),
	mutation(
		"src/crypto/hmac.ts",
		"if (end - start > BLOCK_SIZE)",
		"if (end - start >= BLOCK_SIZE)",
		"keys of 64 bytes give a wrong code",
		CRYPTO,
	),
	mutation(
		"src/crypto/base64.ts",
		"(count === 1 && (second & 15) !== 0)",
		"false",
		"base64 with unused bits is accepted",
		CRYPTO,
	),
	mutation(
		"src/crypto/constant-time.ts",
		"difference |= a[i] ^ b[j];",
		"difference = a[i] ^ b[j];",
		"a password hash is compared by its last byte",
		[...CRYPTO, "test/access"],
	),
	mutation(
		"src/websocket/frame.ts",
		"if (second < 0x80) return WEBSOCKET_PROTOCOL_ERROR;",
		"",
		"an unmasked frame is read as a masked one",
		WEBSOCKET,
	),
	mutation(
		"src/websocket/frame.ts",
		"if (this.#fragmented) return WEBSOCKET_PROTOCOL_ERROR; // §5.4: messages must not be interleaved",
		"",
		"interleaved messages are accepted",
		WEBSOCKET,
	),
	mutation(
		"src/websocket/frame.ts",
		"code !== 1004 && code !== 1005 && code !== 1006",
		"code !== 1004 && code !== 1006",
		"a Close frame with status 1005 is accepted",
		WEBSOCKET,
	),

	mutation(
		"src/websocket/frame-buffer.ts",
		"room = tcp.write(isShort ? this.#shortFrame : bytes);\n\t\t} catch {",
		"room = tcp.write(isShort ? this.#shortFrame : bytes);\n\t\t} catch (error) {\n\t\t\tthrow error;",
		"a peer that leaves behind its Ping is an internal error",
		WEBSOCKET,
	),
	mutation(
		"src/broker/delivery/packet-writer.ts",
		"return message.size + PUBLISH_OVERHEAD <= room || connection.maximumPacketSize <= room;",
		"return message.size + PUBLISH_OVERHEAD <= room;",
		"a client waits for ever behind a message as large as its socket's room",
		["test/broker/send-room.test.ts"],
	),

	// sim
	mutation(
		"sim/network/virtual-socket.ts",
		"const receiveWindow = peer.#receiveWindow - peer.receiveBuffer.length - this.#inFlight;",
		"const receiveWindow = peer.#receiveWindow - this.#inFlight;",
		"a simulated peer that does not read takes any number of bytes",
		["test/sim/virtual-network.test.ts"],
	),
	mutation(
		"sim/network/virtual-socket.ts",
		"if (++this.#retries > MAX_RETRANSMISSIONS) this.terminate();",
		"if (++this.#retries > MAX_RETRANSMISSIONS) attempt();",
		"a simulated connection through a dead path never ends",
		["test/sim/virtual-network.test.ts", "test/sim/board.test.ts"],
	),
	mutation(
		"sim/board/flash.ts",
		"if (this.#used + entriesNeeded(value) > this.#entries)",
		"if (this.#used > this.#entries)",
		"simulated flash holds more than the chip's",
		["test/sim/storage.test.ts"],
	),
];
