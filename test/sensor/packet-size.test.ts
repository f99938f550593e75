import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { maximumPayload, publishSize } from "../../src/client/limits";
import { defaults } from "../../src/config/defaults";
import { type BrokerScript, ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import { type Overrides, TestBoard } from "./support/test-board";

/** A broker whose CONNACK states a maximum packet size, and that ends connections with a larger packet. */
function limitingBroker(
	board: TestBoard,
	maximumPacketSize: number | undefined,
	answer?: BrokerScript["answer"],
) {
	const properties: { maximumPacketSize?: number } = {};
	const state = {
		violations: 0,
		set limit(bytes: number | undefined) {
			if (bytes === undefined) delete properties.maximumPacketSize;
			else properties.maximumPacketSize = bytes;
		},
		broker: undefined as unknown as ScriptedBroker,
	};
	state.limit = maximumPacketSize;
	let told = 0;
	state.broker = new ScriptedBroker(board.network, 1883, {
		connack: { properties },
		answer: (packet, connection) => {
			if (packet.cmd === "connect") told = board.time;
			const limit = properties.maximumPacketSize;
			// The first flight cannot know of a limit that has just changed.
			const known = board.time >= told + 2 * board.network.latency;
			if (known && limit !== undefined && (packet.length ?? 0) + 2 > limit) state.violations++;
			return answer?.(packet, connection) ?? false;
		},
	});
	return state;
}

const publishes = (broker: ScriptedBroker): IPublishPacket[] =>
	broker.packets.filter((packet) => packet.cmd === "publish");

test("reports above the broker's maximum packet size wait by themselves, and are sent when it changes", () => {
	for (const mode of ["deep", "none"] as const) {
		const board = new TestBoard({
			payload: "json",
			sleep: { mode },
			sensors: [
				{ name: "a-sensor-with-a-name-that-is-long", property: ["a"] },
				{ name: "b", property: ["b"] },
			],
		});
		board.sample = (time) => ({ a: time, b: -time });
		board.wifi = "fails";
		board.run(40 * MINUTE - 1);
		board.wifi = "joins";
		// 64 bytes hold neither report, 85 only the short one.
		const state = limitingBroker(board, 85);
		board.run(20 * MINUTE);
		assert.equal(board.events("dropped").length, 0);
		const opened = board.events("opened")[0].at;
		const late = publishes(state.broker).filter((packet) => {
			return state.broker.times[state.broker.packets.indexOf(packet)] > opened;
		});
		assert.ok(late.length > 50 && late.every(({ topic }) => topic.endsWith("/b")), "only the short ones");
		const oversized = board.events("oversized");
		assert.ok(
			oversized.length >= 40 &&
				oversized.every(
					({ details: [, packetSize, limit] }) => limit === 85 && packetSize > 85 && packetSize < 140,
				),
		);
		assert.ok(
			board.traces.some((line) =>
				/^report \d+ of a-sensor-with-a-name-that-is-long needs a packet of \d+ bytes, the broker 10\.0\.0\.1 takes 85: it waits/.test(
					line,
				),
			),
		);
		assert.equal(state.violations, 0);
		if (mode === "deep") {
			assert.equal(board.reportCounts.lost, 0);
			assert.ok(board.reportCounts.waiting >= 40);
			const opens = board.events("open").filter(({ at }) => at > 50 * MINUTE).length;
			assert.ok(opens <= 11, `${opens} connections in ten minutes: reports that must wait cause none`);
		}
		state.limit = undefined;
		if (mode === "none") state.broker.connections.at(-1)?.end();
		board.run(10 * MINUTE);
		const sent = new Set(payloads(state.broker));
		assert.ok([...sent].filter((text) => text.includes('"a-sensor')).length >= 65);
		if (mode === "deep") assert.deepEqual([board.reportCounts.waiting, board.reportCounts.lost], [0, 0]);
		assert.equal(board.events("dropped").length, 0);
	}
});

test("one CONNACK with a small limit after an outage drops nothing", () => {
	for (const version of [5] as const)
		for (const qos of [0, 1] as const) {
			const board = new TestBoard({ payload: "json", sensors: [{ qos }], broker: { version } });
			board.wifi = "fails";
			board.run(40 * MINUTE - 1);
			board.wifi = "joins";
			const state = limitingBroker(board, 64);
			board.run(10 * MINUTE);
			assert.equal(board.events("dropped").length, 0);
			state.limit = 4096;
			board.run(10 * MINUTE);
			assert.equal(board.reportCounts.lost, 0);
			assert.equal(board.reportCounts.waiting, 0, `QoS ${qos}`);
			assert.equal(board.reportCounts.acknowledged, 60);
		}
});

test("waiting reports that are too large give way only by the outbox's policy", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const board = new TestBoard({ payload: "json", outbox: { ...defaults.outbox, policy, size: 512 } });
		limitingBroker(board, 64);
		board.run(2 * HOUR - 1);
		const { dropped, waiting, lost } = board.reportCounts;
		assert.equal(lost, 0);
		assert.ok(waiting > 10 && dropped > 50);
		assert.ok(
			board
				.events("dropped")
				.every(({ details: [, , reason] }) => reason === (policy === "thin" ? 1 : 0) || reason === 0),
		);
	}
});

const names = ["temperature", "humidity", "pressure", "co2", "light"];
const grouped: Overrides = {
	payload: "json",
	topic: "home/{id}",
	sensors: names.map((name) => ({ name, property: [name] })),
};
const groupedSample = (time: number) => Object.fromEntries(names.map((name, i) => [name, time + i]));

test("JSON of several sensors is split to fit: each value once, with its time and sequence number", () => {
	for (const limit of [90, 100, 110, 130, 170])
		for (const [qos, mode, session] of [
			[1, "deep", false],
			[0, "deep", false],
			[1, "none", false],
			[1, "deep", true],
		] as const) {
			const board = new TestBoard({
				...grouped,
				sensors: grouped.sensors?.map((sensor) => ({ ...sensor, qos })) ?? [],
				sleep: { mode },
				broker: session ? { cleanStart: false, sessionExpiry: 86_400, inFlight: 2 } : { inFlight: 3 },
			});
			board.sample = groupedSample;
			const state = limitingBroker(board, limit);
			board.run(10 * MINUTE - 1);
			assert.equal(state.violations, 0);
			const values = new Map<number, Record<string, number>>();
			// The first report left before the limit was known.
			for (const text of payloads(state.broker)) {
				const { seq, time, ...rest } = JSON.parse(text) as { seq: number; time: string } & Record<
					string,
					number
				>;
				if (seq > 1) assert.ok(Buffer.byteLength(text) < limit);
				assert.ok(time.startsWith("2015-02-02T14:"));
				const all = values.get(seq) ?? {};
				for (const name of Object.keys(rest)) assert.ok(!(name in all), `${name} of ${seq} twice`);
				values.set(seq, { ...all, ...rest });
			}
			assert.ok(values.size >= 10);
			for (const [seq, all] of values)
				if (seq <= 10) assert.equal(Object.keys(all).length, 5, `limit ${limit}`);
			if (mode === "deep") assert.deepEqual([board.reportCounts.lost, board.reportCounts.waiting], [0, 0]);
			assert.ok(board.longestAwakeMs < 2000);
		}
});

test("a report is not removed before all its parts are acknowledged, whatever is cut or refused", () => {
	for (const trouble of ["cut", "refused"] as const)
		for (const session of [false, true]) {
			const board = new TestBoard({
				...grouped,
				broker: session ? { cleanStart: false, sessionExpiry: 86_400 } : {},
			});
			board.sample = groupedSample;
			let packets = 0;
			let troubles = 0;
			const delivered = new Map<number, Set<string>>();
			const state = limitingBroker(board, 100, (packet, connection) => {
				if (packet.cmd !== "publish") return false;
				if (++packets % 4 === 0 && troubles < 30) {
					troubles++;
					if (trouble === "cut") connection.end();
					else connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x97 });
					return true;
				}
				if (connection.peer.ended) return true;
				const { seq, ...rest } = JSON.parse(packet.payload.toString()) as { seq: number };
				const all = delivered.get(seq) ?? new Set();
				for (const name of Object.keys(rest)) all.add(name);
				delivered.set(seq, all);
				return false;
			});
			board.run(3 * HOUR - 1);
			assert.ok(troubles >= 20, `${troubles} ${trouble}`);
			assert.ok(publishes(state.broker).length > 0);
			assert.deepEqual([board.reportCounts.lost, board.reportCounts.waiting], [0, 0]);
			for (const [sequence] of board.events("acknowledged").map(({ details }) => details))
				for (const name of names)
					assert.ok(delivered.get(sequence)?.has(name), `${trouble}: ${name} of report ${sequence}`);
		}
});

test("a reset between the marks of two reports, and other settings afterwards, leave none waiting for ever", () => {
	const board = new TestBoard({ payload: "json", topic: `home/${"x".repeat(60)}/{sensor}` });
	limitingBroker(board, 100);
	for (let i = 0; i < 12; i++) {
		board.run(MINUTE - 300 + 40 * i);
		board.retained.writeBudget = 40 * i;
		board.run(MINUTE);
		board.reset("crash");
	}
	board.run(10 * MINUTE);
	assert.ok(board.reportCounts.waiting > 10);
	assert.equal(board.events("acknowledged").filter(({ details: [sequence] }) => sequence > 1).length, 0);
	board.settings = { ...board.settings, topic: "h/{sensor}" };
	board.reset("reset");
	board.run(10 * MINUTE);
	assert.equal(board.reportCounts.waiting, 0);
	assert.equal(board.events("dropped").length, 0);
});

test("maximumPayload is the largest payload that publishSize finds to fit, or one byte less", () => {
	for (const version of [4, 5] as const)
		for (const qos of [0, 1])
			for (const size of [
				8, 20, 64, 127, 128, 129, 130, 131, 132, 200, 16_383, 16_384, 16_386, 16_387, 16_390,
			]) {
				const payload = maximumPayload(version, size, 2, qos);
				if (payload < 0) continue;
				assert.ok(publishSize(version, 2, payload, qos, 0) <= size);
				assert.ok(publishSize(version, 2, payload + 2, qos, 0) > size, `${size}`);
			}
});
