import type { Mutation } from "../mutation/mutation";

/** A bug that a seed must find, by its kind. */
export interface PlantedBug extends Pick<Mutation, "file" | "text" | "replacement" | "breaks"> {
	readonly kind: string;
}

/** One a kind of what can go wrong. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
	{
		kind: "reset",
		file: "src/sensor/measure/collector.ts",
		text: "			clock.saveTimes(0);\n			this.retained.commit();\n",
		replacement: "			clock.saveTimes(0);\n",
		breaks: "a reset in the middle of a wake loses what was accepted",
	},
	{
		kind: "awake limit",
		file: "src/sensor/wake-up.ts",
		text: "if (node.deepSleep) node.timers.start(WATCHDOG_TIMER, settings.sleep.awakeLimit);",
		replacement: "",
		breaks: "a broken network empties the battery",
	},
	{
		kind: "exactly once",
		file: "src/session/delivery.ts",
		text: "[PUBREL_PENDING, PUBLISH_ARRIVES, SEND_PUBREC, PUBREL_PENDING]",
		replacement: "[PUBREL_PENDING, PUBLISH_ARRIVES, DELIVER, PUBREL_PENDING]",
		breaks: "a repeated QoS 2 message is delivered twice",
	},
	{
		kind: "order",
		file: "src/broker/session/queue-suspension.ts",
		text: `	table.setNext(last, lists[row + FIRST_WAITING]);
	if (lists[row + FIRST_WAITING] === 0) lists[row + LAST_WAITING] = last;
	lists[row + FIRST_WAITING] = first;
`,
		replacement: `	table.setNext(last, 0);
	if (lists[row + FIRST_WAITING] === 0) lists[row + FIRST_WAITING] = first;
	else table.setNext(lists[row + LAST_WAITING], first);
	lists[row + LAST_WAITING] = last;
`,
		breaks: "what was in flight when a client left is sent after newer messages",
	},
	{
		kind: "starvation",
		file: "src/broker/listeners.ts",
		text: "if (connection.lastReceivedAt + limit <= nowMs) {",
		replacement: "if (nowMs < 0) {",
		breaks: "hosts that connect and stay silent keep everybody else out",
	},
	{
		kind: "pools",
		file: "src/broker/handlers/session-end.ts",
		text: "			subscriptions.removeAll(session);\n",
		replacement: "",
		breaks: "the topic filters of a session that has ended are never freed",
	},
	{
		kind: "places",
		file: "src/broker/handlers/session-end.ts",
		text: "			queues.clear(session);\n",
		replacement: "",
		breaks: "the next session in the place of an ended one takes new QoS 2 messages for repetitions",
	},
	{
		kind: "clock",
		file: "firmware/time-request.ts",
		text: "this.#clock.set(seconds, Math.floor((timeMs - seconds * 1000) * 1000));",
		replacement: "this.#clock.set(seconds, 0);",
		breaks: "the clock is up to a second late",
	},
	{
		kind: "sensor",
		file: "src/sensor/measure/sampler.ts",
		text: "			this.closeDriver(driver);\n			return NaN;\n",
		replacement: "			this.closeDriver(driver);\n			throw error;\n",
		breaks: "a sensor that fails ends the wake",
	},
	{
		kind: "dead connection",
		file: "src/client/keep-alive.ts",
		text: "this.deadlines.start(PINGRESP_DEADLINE, this.pingrespTimeoutMs);",
		replacement: "",
		breaks: "a client never notices that its connection is dead",
	},
	{
		kind: "power",
		file: "src/broker/persist/subscription-records.ts",
		text: "const session = sessions.restoredSession(storedSession);",
		replacement: "const session = 0 * sessions.restoredSession(storedSession);",
		breaks: "subscriptions are gone after a restart, and the sessions are not",
	},
	{
		kind: "outage",
		file: "src/sensor/retained/try-backoff.ts",
		text: "reals[REAL_RETRY] = now + pauseMs;",
		replacement: "reals[REAL_RETRY] = now + pauseMs * 60;",
		breaks: "after an outage a node waits for minutes instead of seconds",
	},
	{
		kind: "bridge",
		file: "src/bridge/outgoing-messages.ts",
		text: "if (this.qos > 0) continue;",
		replacement: "",
		breaks: "what goes over a bridge is acknowledged before the other broker has it",
	},
	{
		kind: "WebSocket",
		file: "src/websocket/client/frame-writer.ts",
		text: "for (let i = (count + 3) >> 2; i-- > 0; )",
		replacement: "for (let i = count >> 2; i-- > 0; )",
		breaks: "the last bytes of a frame are not masked",
	},
	{
		kind: "always on",
		file: "src/client/keep-alive.ts",
		text: "this.idleLimitMs = seconds * 750;",
		replacement: "this.idleLimitMs = seconds * 2500;",
		breaks: "a node that stays connected is closed for its silence",
	},
	{
		kind: "pin",
		file: "src/sensor/measure/wake-pins.ts",
		text: "return level === 0 ? this.pins[first].activeLevel : 2 - level;",
		replacement: "return this.pins[first].activeLevel;",
		breaks: "only one of both changes of a pin wakes the node",
	},
	{
		kind: "pin limit",
		file: "src/sensor/measure/wake-pins.ts",
		text: "if (free > now) {",
		replacement: "if (free > now + HOUR_MS) {",
		breaks: "a contact that bounces wakes the node as often as it does",
	},
	{
		kind: "circle",
		file: "src/bridge/passed-brokers.ts",
		text: "if (!reader.has(USER_PROPERTY)) return false;",
		replacement: "return false;",
		breaks: "two brokers with bridges to each other send messages in a circle",
	},
	{
		kind: "command",
		file: "src/sensor/commands/command-exchange.ts",
		text: "this.expected = queued > 0 ? Math.max(queued - memory.receivedCount, 0) : queued;",
		replacement: "this.expected = 0;",
		breaks: "a node sleeps before the commands that its broker announces have arrived",
	},
	{
		kind: "command twice",
		file: "src/sensor/commands/command-memory.ts",
		text: "const index = bytes[base + AT_NEXT_EXECUTED];",
		replacement: "const index = 0 * bytes[base + AT_NEXT_EXECUTED];",
		breaks: "only the last command is remembered, and an earlier one that comes again is executed again",
	},
	{
		kind: "settings",
		file: "src/sensor/commands/node-commands.ts",
		text: "if (record.generation > record.confirmed && memory.trialWakes >= limit) {",
		replacement: "if (record.generation > record.confirmed && memory.trialWakes >= limit * 50) {",
		breaks: "settings with which a node cannot report are not given up in time",
	},
	{
		kind: "confirmed settings",
		file: "src/sensor/commands/node-commands.ts",
		text: "this.useStorage((stored) => stored.confirm(generation));",
		replacement: "if (generation < 0) this.useStorage((stored) => stored.confirm(generation));",
		breaks: "an outage gives up settings with which the node has reported",
	},
	{
		kind: "image",
		file: "src/sensor/update/node-update.ts",
		text: 'if (receiver.takeDigest() !== state.sha256) return "the image has another SHA-256";',
		replacement: "receiver.takeDigest();",
		breaks: "an image runs that is not the one which the command has named",
	},
	{
		kind: "image on trial",
		file: "src/sensor/update/node-update.ts",
		text: "this.returns = tries >= settings.trialWakes;",
		replacement: "this.returns = tries >= settings.trialWakes * 50;",
		breaks: "an image that cannot report is not returned from in time",
	},
	{
		kind: "impostor",
		file: "src/broker/session/sessions.ts",
		text: "userOfPeer(words[WORDS_WIDTH * session + PEER]) !== user",
		replacement: "user < 0",
		breaks: "a user takes over the sessions of another one, whose client identifiers it knows",
	},
	{
		kind: "will",
		file: "src/broker/handlers/wills.ts",
		text: "properties.find(WILL_DELAY_INTERVAL) ? properties.number : 0",
		replacement: "properties.find(WILL_DELAY_INTERVAL) ? 0 : 0",
		breaks: "a will is published without its delay",
	},
	{
		kind: "current value",
		file: "src/broker/topics/retained-store.ts",
		text: "return later !== 0 && messages.expiresAtMs(later) > nowMs;",
		replacement: "return later !== 0;",
		breaks: "a value that has expired hides the retained one from new subscribers",
	},
	{
		kind: "response topic",
		file: "src/sensor/commands/incoming-command.ts",
		text: "this.correlation = problem === undefined ? correlation : undefined;",
		replacement: "this.correlation = undefined;",
		breaks: "answers come without the correlation data of their commands",
	},
	{
		kind: "counting",
		file: "src/broker/handlers/publish-handler.ts",
		text: "if (code === QUOTA_EXCEEDED) core.counters.publishesOverQuota++;",
		replacement: "",
		breaks: "refused messages are not counted",
	},
	{
		kind: "Homie",
		file: "src/sensor/discovery/announcement-plan.ts",
		text: 'new ShortAnnouncement(stateTopic(base), "sleeping")',
		replacement: 'new ShortAnnouncement(stateTopic(base), "ready")',
		breaks: "a node of the Homie convention that sleeps says that it is ready",
	},
	{
		kind: "unsubscribing",
		file: "src/broker/topics/subscriptions.ts",
		text: "this.count--;",
		replacement: "",
		breaks: "whoever unsubscribes often uses up the subscriptions of all",
	},
	{
		kind: "unread answers",
		file: "src/broker/session/packet-reader.ts",
		text: "connection.room < ANSWER_ROOM + (length >> 1)",
		replacement: "connection.room < 0",
		breaks: "packets are read from a client that has no room for their answers",
	},
	{
		kind: "nonsense",
		file: "src/sensor/measure/collector.ts",
		text: "return FAILED;",
		replacement: "value = NaN;",
		breaks: "a reading that is no number is reported",
	},
	{
		kind: "announcement",
		file: "src/sensor/discovery/announcer.ts",
		text: "(whole || (homie && !settled))",
		replacement: "(homie && !settled)",
		breaks: "a node does not announce itself to Home Assistant",
	},
];
