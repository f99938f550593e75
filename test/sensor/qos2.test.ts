import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { type BrokerScript, ScriptedBroker, type ScriptedConnection } from "../client/scripted-broker";
import { FlashBoard } from "./support/flash-board";
import { MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

const session = { cleanStart: false, sessionExpiry: 86_400 } as const;
const sensors = ["a", "b"].map((name) => ({ name, property: [name], every: 10 * MINUTE, qos: 2 as const }));

/** A broker with one lasting session, which takes a QoS 2 message over once per packet identifier. */
class SessionBroker {
	readonly delivered: string[] = [];
	hasSession = false;
	readonly broker: ScriptedBroker;
	/** Called before a packet is answered; true: the connection ends instead, the packet is not seen. */
	cut: (packet: Packet) => "before" | "after" | false = () => false;
	readonly #ids = new Set<number>();
	/** Messages of QoS 2 that it takes before PUBREL. */
	receiveMaximum = Infinity;
	/** Nothing more is read from it. */
	#ended: ScriptedConnection | undefined;

	constructor(board: TestBoard, version: 4 | 5) {
		const script: BrokerScript = {
			version,
			answer: (packet, connection) => this.#answer(packet, connection),
		};
		this.broker = new ScriptedBroker(board.network, 1883, script);
	}

	/** As after a restart without persistence. */
	forget(): void {
		this.hasSession = false;
		this.#ids.clear();
	}

	/** Messages whose PUBREL has not come. */
	get unreleased(): number {
		return this.#ids.size;
	}

	get publishes(): IPublishPacket[] {
		return this.broker.packets.filter((packet) => packet.cmd === "publish");
	}

	#answer(packet: Packet, connection: ScriptedConnection): boolean {
		if (connection === this.#ended) return true;
		const cut = this.cut(packet);
		if (cut !== false) {
			this.#ended = connection;
			connection.end();
		}
		if (cut === "before") return true;
		const answer = this.#take(packet);
		if (cut === "after") return true;
		if (answer !== undefined) connection.send(answer);
		else return false;
		return true;
	}

	#take(packet: Packet): Packet | undefined {
		if (packet.cmd === "connect") {
			if (packet.clean) this.forget();
			const sessionPresent = this.hasSession;
			// §3.1.2.4 of MQTT 3.1.1
			this.hasSession = !packet.clean || packet.protocolVersion === 5;
			return { cmd: "connack", sessionPresent, reasonCode: 0, returnCode: 0 };
		}
		if (packet.cmd === "publish" && packet.qos === 2) {
			const messageId = packet.messageId as number;
			if (!this.#ids.has(messageId) && this.#ids.size >= this.receiveMaximum)
				return { cmd: "disconnect", reasonCode: 0x93 };
			if (!this.#ids.has(messageId)) this.delivered.push(packet.payload.toString());
			this.#ids.add(messageId);
			return { cmd: "pubrec", messageId, reasonCode: 0 };
		}
		if (packet.cmd === "pubrel") {
			const messageId = packet.messageId as number;
			const reasonCode = this.#ids.delete(messageId) ? 0 : 0x92;
			return { cmd: "pubcomp", messageId, reasonCode };
		}
		return undefined;
	}
}

function start(version: 4 | 5 = 5, overrides: ConstructorParameters<typeof TestBoard>[0] = {}) {
	const board = new TestBoard({
		sensors,
		...overrides,
		broker: { ...session, version, ...overrides.broker },
	});
	board.sample = (time) => ({ a: Math.floor(time / MINUTE), b: Math.floor(time / MINUTE) + 1000 });
	return { board, peer: new SessionBroker(board, version) };
}

const expected = (wakes: number): string[] =>
	Array.from({ length: wakes }, (_, i) => [String(i * 10), String(i * 10 + 1000)]).flat();

describe("reports with QoS 2", () => {
	for (const version of [4, 5] as const)
		test(`MQTT ${version}: PUBLISH after CONNACK, PUBREL, then sleep; nothing is left waiting`, () => {
			const { board, peer } = start(version);
			board.run(35 * MINUTE);
			assert.deepEqual(peer.delivered, expected(4));
			assert.deepEqual(peer.broker.commands.slice(0, 6), [
				"connect",
				"publish",
				"publish",
				"pubrel",
				"pubrel",
				"disconnect",
			]);
			assert.ok(peer.publishes.every(({ qos, dup }) => qos === 2 && !dup));
			assert.deepEqual(
				board
					.events("publish")
					.map(({ details }) => details[2])
					.slice(0, 2),
				[2, 2],
			);
			assert.deepEqual(board.reportCounts, { accepted: 8, acknowledged: 8, dropped: 0, waiting: 0, lost: 0 });
		});

	for (const version of [4, 5] as const)
		for (const place of ["before", "after"] as const)
			test(`MQTT ${version}, the connection ends ${place} each packet is handled, in turn: each report arrives once`, () => {
				for (let nth = 1; ; nth++) {
					const { board, peer } = start(version);
					let count = 0;
					peer.cut = () => (++count === nth ? place : false);
					board.run(25 * MINUTE);
					assert.deepEqual(peer.delivered, expected(3), `packet ${nth}`);
					assert.equal(board.reportCounts.lost, 0);
					assert.equal(board.reportCounts.waiting, 0);
					if (count < nth) break;
				}
			});

	test("a reset before, in and after each write to retained memory, in turn: each report arrives once", () => {
		/** One wake, with so many bytes that may be written, and the next one without a limit. */
		const run = (budget: number) => {
			const { board, peer } = start();
			board.run(9 * MINUTE);
			board.retained.writeBudget = budget;
			board.run(9 * MINUTE);
			const wasReset = board.retained.writeBudget === Infinity;
			board.retained.writeBudget = Infinity;
			board.run(9 * MINUTE);
			return { board, peer, wasReset };
		};
		const ample = 1_000_000;
		const starts = run(ample).board.retained.writes.map((left) => ample - left);
		assert.ok(starts.length > 12, String(starts.length));
		// The last write is the boot mark, of one byte.
		for (const [index, at] of starts.slice(0, -1).entries()) {
			const end = starts[index + 1];
			for (const budget of new Set([at, at + 1, (at + end) >> 1, end])) {
				const { board, peer, wasReset } = run(budget);
				assert.ok(wasReset, `byte ${budget}`);
				assert.equal(
					new Set(peer.delivered).size,
					peer.delivered.length,
					`byte ${budget}: ${peer.delivered}`,
				);
				const acknowledged = new Set(board.events("acknowledged").map(({ details }) => details[0]));
				for (const { details } of board.events("accepted"))
					assert.ok(acknowledged.has(details[0]), `byte ${budget}: report ${details[0]}`);
				assert.equal(board.reportCounts.waiting, 0, `byte ${budget}`);
			}
		}
	});

	test('outbox.storage "flash": the power fails at each write to flash, in turn: each report arrives once', () => {
		const run = (byte: number) => {
			const flash = new FlashBoard({ sensors, broker: session });
			const { board } = flash;
			let samples = 0;
			board.sample = () => ({ a: ++samples, b: samples + 1000 });
			const peer = new SessionBroker(board, 5);
			flash.cutAt(byte, "part");
			board.run(25 * MINUTE);
			return { flash, board, peer };
		};
		const { starts } = run(Infinity).flash;
		assert.ok(starts.length > 30, `${starts.length} writes`);
		for (const [index, at] of starts.slice(0, -1).entries())
			for (const byte of new Set([at, (at + starts[index + 1]) >> 1])) {
				const { flash, board, peer } = run(byte);
				assert.equal(flash.cuts, 1);
				assert.equal(new Set(peer.delivered).size, peer.delivered.length, `byte ${byte}: ${peer.delivered}`);
				const acknowledged = new Set(board.events("acknowledged").map(({ details }) => details[0]));
				for (const { details } of board.events("accepted"))
					assert.ok(acknowledged.has(details[0]), `byte ${byte}: report ${details[0]}`);
				assert.equal(board.reportCounts.waiting, 0, `byte ${byte}`);
			}
	});

	test('outbox.storage "flash": after a loss of power a reset or another loss comes at each step, in turn: each report arrives once', () => {
		const run = (step: number, kind: "reset" | "loss of power") => {
			const flash = new FlashBoard({ sensors, broker: session });
			const { board } = flash;
			let samples = 0;
			board.sample = () => ({ a: ++samples, b: samples + 1000 });
			const peer = new SessionBroker(board, 5);
			peer.cut = (packet) => (packet.cmd === "pubrel" ? "before" : false);
			board.run(1000);
			peer.cut = () => false;
			board.wifi = "fails";
			board.run(25 * MINUTE);
			const before = flash.starts.length;
			if (kind === "reset") flash.resetAt = before + step;
			else flash.cutAtChange = before + step;
			board.losePower();
			board.run(1);
			const changes = flash.starts.length - before;
			board.wifi = "joins";
			board.run(35 * MINUTE);
			return { flash, board, peer, changes };
		};
		const { changes } = run(Infinity, "reset");
		assert.ok(changes >= 2, `${changes} changes of flash`);
		for (const kind of ["reset", "loss of power"] as const)
			for (let step = 1; step <= changes; step++) {
				const { flash, board, peer } = run(step, kind);
				assert.equal(flash.cuts, 1);
				assert.equal(
					new Set(peer.delivered).size,
					peer.delivered.length,
					`${kind} ${step}: ${peer.delivered}`,
				);
				const acknowledged = new Set(board.events("acknowledged").map(({ details }) => details[0]));
				for (const { details } of board.events("accepted"))
					assert.ok(acknowledged.has(details[0]), `${kind} ${step}: report ${details[0]}`);
				const { dropped, waiting } = board.reportCounts;
				assert.deepEqual([dropped, waiting], [0, 0], `${kind} ${step}`);
			}
	});

	test("PUBREC arrived and PUBCOMP did not: after sleep PUBREL leaves, and no PUBLISH", () => {
		const { board, peer } = start();
		peer.cut = (packet) => (packet.cmd === "pubrel" ? "after" : false);
		board.run(1000);
		peer.cut = () => false;
		const before = peer.broker.packets.length;
		assert.equal(board.events("opened").length, 1);
		board.reset("reset");
		board.run(5 * MINUTE);
		const commands = peer.broker.commands.slice(before);
		assert.deepEqual(commands, ["connect", "pubrel", "pubrel", "disconnect"]);
		assert.deepEqual(board.events("open").at(-1)?.details[0], false, "CONNACK is waited for");
		assert.deepEqual(peer.delivered, expected(1));
		assert.equal(board.reportCounts.acknowledged, 2);
	});

	test("the broker lost the session after PUBREC: the report is its own; without PUBREC it is sent anew", () => {
		for (const [cutAt, delivered] of [
			["pubrel", expected(1)],
			["publish", [...expected(1).slice(0, 1), ...expected(1)]],
		] as const) {
			const { board, peer } = start();
			let cuts = 0;
			peer.cut = (packet) => (packet.cmd === cutAt && cuts++ === 0 ? "after" : false);
			board.run(1000);
			peer.forget();
			board.run(5 * MINUTE);
			assert.deepEqual(peer.delivered, delivered, cutAt);
			assert.ok(!peer.publishes.some(({ dup }) => dup));
			assert.deepEqual(board.reportCounts, { accepted: 2, acknowledged: 2, dropped: 0, waiting: 0, lost: 0 });
		}
	});

	for (const version of [4, 5] as const)
		test(`MQTT ${version}, the power fails before PUBREL: the next report is not taken for that one`, () => {
			const { board, peer } = start(version);
			peer.cut = (packet) => (packet.cmd === "pubrel" ? "before" : false);
			board.run(1000);
			assert.equal(peer.delivered.length, 2);
			peer.cut = () => false;
			const before = peer.broker.packets.length;
			board.retained.bytes.fill(0xa5);
			board.reset("power-on");
			board.run(25 * MINUTE);
			const cleans = peer.broker.packets
				.slice(before)
				.flatMap((packet) => (packet.cmd === "connect" ? [packet.clean] : []));
			// In 3.1.1 a session that is to last does not begin clean.
			const discarding = version === 4 ? [false, true, false] : [false, true];
			assert.deepEqual(cleans, [...discarding, false, false]);
			assert.deepEqual(
				peer.publishes.slice(2, 4).map(({ messageId }) => messageId),
				[2, 3],
			);
			assert.equal(peer.delivered.length, 2 + 2 * 3, peer.delivered.join());
			assert.equal(board.reportCounts.waiting, 0);
		});

	/** The broker gets the first reports, and the connection ends before PUBREC, for seven hours. */
	const runOutage = (board: TestBoard, during: () => void = () => {}): SessionBroker => {
		let samples = 0;
		board.sample = () => ({ a: ++samples, b: samples + 1000, c: samples + 2000 });
		const peer = new SessionBroker(board, 5);
		peer.receiveMaximum = 2;
		peer.cut = (packet) => (packet.cmd === "publish" && packet.messageId === 3 ? "after" : false);
		board.run(1000);
		assert.equal(peer.unreleased, 2);
		peer.cut = () => false;
		board.wifi = "fails";
		board.run(7 * 60 * MINUTE);
		during();
		board.wifi = "joins";
		board.run(65 * MINUTE);
		return peer;
	};
	const checkDelivered = (board: TestBoard, peer: SessionBroker): void => {
		const { lost, waiting } = board.reportCounts;
		assert.deepEqual([lost, waiting, peer.unreleased], [0, 0, 0]);
		assert.equal(new Set(peer.delivered).size, peer.delivered.length, peer.delivered.join());
		assert.ok(peer.delivered.length > 12, `${peer.delivered.length}`);
	};

	for (const policy of ["dropOldest", "thin"] as const)
		test(`a full outbox drops (${policy}) what the broker has and waits for PUBREL of: later reports arrive`, () => {
			const { board } = start(5, { outbox: { storage: "rtc", policy, size: 512 } });
			const peer = runOutage(board);
			assert.ok(board.reportCounts.dropped > 0);
			checkDelivered(board, peer);
		});

	test('the same with outbox.storage "flash", and a loss of power afterwards', () => {
		const { board } = new FlashBoard({
			sensors,
			broker: session,
			outbox: { storage: "flash", policy: "dropOldest", size: 512 },
		});
		const peer = runOutage(board, () => {
			board.losePower();
			board.run(1000);
		});
		assert.ok(board.reportCounts.dropped > 0);
		checkDelivered(board, peer);
	});

	test("reports that the broker has are of other sensors after an update: later ones arrive", () => {
		const { board } = start();
		const peer = runOutage(board, () => {
			board.settings = { ...board.settings, sensors: [{ ...board.settings.sensors[0], property: ["c"] }] };
			board.reset("reset");
			board.run(60 * MINUTE);
		});
		assert.ok(board.reportCounts.dropped > 0);
		checkDelivered(board, peer);
	});

	test("PUBREC refuses a report: it waits for its pause, and is sent as a new message", () => {
		const { board, peer } = start(5, { sensors: sensors.slice(0, 1) });
		let refusals = 0;
		const { broker } = peer;
		peer.cut = (packet) => {
			if (packet.cmd !== "publish" || refusals++ > 0) return false;
			broker.connections
				.at(-1)
				?.send({ cmd: "pubrec", messageId: packet.messageId as number, reasonCode: 0x97 });
			broker.connections.at(-1)?.end();
			return "before";
		};
		board.run(9 * MINUTE);
		assert.deepEqual(peer.delivered, ["0"]);
		assert.ok(!peer.publishes.some(({ dup }) => dup));
		assert.equal(board.reportCounts.acknowledged, 1);
	});

	test("a broker that grants QoS 1 only: sent with QoS 1", () => {
		const board = new TestBoard({ sensors, broker: session });
		board.sample = () => ({ a: 1, b: 2 });
		const broker = new ScriptedBroker(board.network, 1883, { connack: { properties: { maximumQoS: 1 } } });
		board.run(15 * MINUTE);
		const publishes = broker.packets.filter((packet) => packet.cmd === "publish");
		assert.deepEqual(
			publishes.map(({ qos }) => qos),
			[1, 1, 1, 1],
		);
		assert.equal(board.reportCounts.acknowledged, 4);
	});

	test("a broker of MQTT 3.1.1 that answers QoS 2 with PUBACK: sent with QoS 1 from then on, also after sleep", () => {
		const board = new TestBoard({ sensors, broker: { ...session, version: 4 } });
		board.sample = () => ({ a: 1, b: 2 });
		const broker = new ScriptedBroker(board.network, 1883, {
			version: 4,
			answer: (packet, connection) => {
				if (packet.cmd !== "publish" || packet.qos !== 2) return false;
				connection.send({ cmd: "puback", messageId: packet.messageId! });
				return true;
			},
		});
		board.run(35 * MINUTE);
		const publishes = broker.packets.filter((packet) => packet.cmd === "publish");
		const later = publishes.findIndex(({ qos }) => qos === 1);
		assert.ok(later > 0 && later <= sensors.length, `${later} with QoS 2`);
		assert.ok(publishes.slice(later).every(({ qos }) => qos === 1));
		assert.equal(board.reportCounts.acknowledged, 8);
		assert.equal(board.reportCounts.waiting, 0);
	});

	test("JSON that is too large for the broker is not split: it waits for another limit", () => {
		const board = new TestBoard({ sensors, payload: "json", topic: "node", broker: session });
		board.sample = () => ({ a: 1, b: 2 });
		const connack = { properties: { maximumPacketSize: 60 } };
		const broker = new ScriptedBroker(board.network, 1883, { connack });
		board.run(5 * MINUTE);
		assert.equal(broker.commands.includes("publish"), false);
		const [[sequence, size, limit]] = board.events("oversized").map(({ details }) => details);
		assert.deepEqual([sequence, limit], [1, 60]);
		connack.properties.maximumPacketSize = size;
		board.run(20 * MINUTE);
		const payloads = broker.packets.filter((packet) => packet.cmd === "publish");
		assert.deepEqual(payloads.map(({ payload, qos }) => [JSON.parse(payload.toString()).seq, qos]).sort(), [
			[1, 2],
			[2, 2],
			[3, 2],
		]);
	});
});
