import assert from "node:assert/strict";
import { test } from "node:test";
import { TimeRequest } from "../../firmware/time-request";
import { answerTimeRequest } from "../../sim/network/time-server";
import type { UDPConstructor } from "../../src/device";
import { VirtualClock } from "../support/virtual-clock";
import { FakeUDP } from "./fake-udp";

/** 2026-01-01T00:00:00.625Z */
const EPOCH = Date.UTC(2026, 0, 1) + 625;

/** @param onTime called once with the time to which the clock is set, or undefined */
function requestTime(
	device: ConstructorParameters<typeof TimeRequest>[0],
	udp: UDPConstructor,
	onTime: (time: number | undefined) => void,
): void {
	let announced: number | undefined;
	let time: number | undefined;
	const set = (seconds: number, microseconds: number): void => {
		time = seconds * 1000 + microseconds / 1000;
		assert.ok(Math.abs(time - announced!) < 0.01, "it is told before the clock is set");
	};
	const onAnswer = (isSet: boolean): void => {
		assert.equal(isSet, time !== undefined);
		assert.equal(announced === undefined, time === undefined);
		onTime(time);
	};
	new TimeRequest(device, { udp, set }, "pool.example", onAnswer, (timeMs) => {
		assert.equal(time, undefined);
		announced = timeMs;
	});
}

interface Path {
	/** One way, ms. */
	there: number;
	back: number;
	/** Time within the server, ms. */
	held: number;
}

/** A device at a virtual clock, and a time server at the end of a path. */
function setUp(
	{ there, back, held }: Path,
	mangle: (answer: Uint8Array, request: number) => Uint8Array | undefined = (a) => a,
) {
	const clock = new VirtualClock();
	clock.ticksOffset = 2 ** 31 - 50;
	const sockets: FakeUDP[] = [];
	const result: { at: number; time: number | undefined }[] = [];
	class Socket extends FakeUDP {
		constructor(options: { onReadable: (count: number) => void }) {
			super(options);
			sockets.push(this);
		}
		override write(bytes: Uint8Array, address: string, port: number): void {
			super.write(bytes, address, port);
			const count = this.sent.length;
			const request = bytes.slice();
			const receivedAt = EPOCH + clock.now + there;
			clock.after(there + held + back, () => {
				const answer = mangle(answerTimeRequest(request, receivedAt, receivedAt + held)!, count);
				if (answer) this.receive(answer);
			});
		}
	}
	const device = {
		timer: clock.timer,
		time: clock.time,
		resolve: (_: string, found: (address: string | undefined) => void) => found("10.9.9.9"),
	};
	const start = () => {
		requestTime(device, Socket, (time) => result.push({ at: clock.now, time }));
	};
	return { clock, sockets, result, start, device };
}

/** Error of the only result, ms. */
function errorOf({ result }: ReturnType<typeof setUp>): number {
	assert.equal(result.length, 1);
	const [{ at, time }] = result;
	assert.ok(time !== undefined);
	return time - (EPOCH + at);
}

test("the error is half of the difference between the ways there and back, and no more", () => {
	for (const path of [
		{ there: 0, back: 0, held: 0 },
		{ there: 5, back: 5, held: 0 },
		{ there: 200, back: 200, held: 300 },
		{ there: 10, back: 110, held: 3 },
		{ there: 130, back: 10, held: 0 },
	]) {
		const bench = setUp(path);
		bench.clock.advance(123);
		bench.start();
		assert.ok(bench.clock.run(10_000), "no timer is left");
		const error = errorOf(bench);
		assert.ok(Math.abs(error - (path.there - path.back) / 2) < 1, `${JSON.stringify(path)}: ${error} ms`);
		assert.ok(bench.sockets[0]!.closed);
	}
});

test("a lost datagram is sent again after a second; each request is answered only by its own answer", () => {
	const lost = setUp({ there: 20, back: 20, held: 0 }, (answer, request) =>
		request < 3 ? undefined : answer,
	);
	lost.start();
	assert.ok(lost.clock.run(60_000));
	assert.ok(Math.abs(errorOf(lost)) < 1);
	assert.equal(lost.result[0]!.at, 2040);
	// The answers come after the next request has left.
	const late = setUp({ there: 700, back: 700, held: 0 });
	late.start();
	assert.ok(late.clock.run(60_000));
	assert.deepEqual(
		late.result.map(({ time }) => time),
		[undefined],
	);
	assert.equal(late.sockets[0]!.sent.length, 5);
});

test("no answer, a refusal, a server without time, and datagrams that answer nothing", () => {
	for (const [name, mangle, at] of [
		["silence", () => undefined, 5000],
		["kiss of death", (answer: Uint8Array) => answer.fill(0, 1, 2), 40],
		["unsynchronised", (answer: Uint8Array) => answer.fill(0xe4, 0, 1), 40],
		["stratum 16", (answer: Uint8Array) => answer.fill(16, 1, 2), 40],
		["short", (answer: Uint8Array) => answer.slice(0, 47), 5000],
		["empty", () => new Uint8Array(0), 5000],
		["a client's", (answer: Uint8Array) => answer.fill(0x23, 0, 1), 5000],
		["forged", (answer: Uint8Array) => answer.fill(1, 24, 32), 5000],
		["without a time", (answer: Uint8Array) => answer.fill(0, 40, 48), 40],
	] as const) {
		const bench = setUp({ there: 20, back: 20, held: 0 }, mangle);
		bench.start();
		assert.ok(bench.clock.run(60_000));
		assert.deepEqual(bench.result, [{ at, time: undefined }], name);
		assert.ok(bench.sockets[0]!.closed);
	}
});

test("a name that cannot be resolved, and sockets that fail", () => {
	const bench = setUp({ there: 1, back: 1, held: 0 });
	const result: (number | undefined)[] = [];
	const none = {
		...bench.device,
		resolve: (_: string, found: (address: undefined) => void) => found(undefined),
	};
	requestTime(none, FakeUDP, (time) => result.push(time));
	class Broken extends FakeUDP {
		constructor(options: { onReadable: (count: number) => void }) {
			super(options);
			throw new Error("no socket");
		}
	}
	requestTime(bench.device, Broken, (time) => result.push(time));
	class Down extends FakeUDP {
		override write(): void {
			throw new Error("UDP send failed");
		}
	}
	requestTime(bench.device, Down, (time) => result.push(time));
	assert.ok(bench.clock.run(60_000));
	assert.deepEqual(result, [undefined, undefined, undefined]);
});

test("a server that counts from 1970, or before: it has no time, and the clock is not set", () => {
	for (const now of [Date.UTC(1968, 1, 1), -1, 0, 59_000, Date.UTC(1980, 0, 6), Date.UTC(2000, 0, 1)]) {
		const bench = setUp({ there: 1, back: 1, held: 0 }, (_, count) => {
			assert.equal(count, 1);
			return answerTimeRequest(bench.sockets[0]!.sent[0]!.bytes, now, now);
		});
		bench.start();
		assert.ok(bench.clock.run(60_000));
		assert.deepEqual(bench.result, [{ at: 2, time: undefined }]);
	}
});

test("timestamps continue in 2036, where their seconds begin again", () => {
	for (const now of [
		Date.UTC(2036, 1, 7, 6, 28, 15, 900),
		Date.UTC(2036, 1, 7, 6, 28, 16, 100),
		Date.UTC(2099, 0, 1),
	]) {
		const times: (number | undefined)[] = [];
		const clock = new VirtualClock();
		let socket: FakeUDP | undefined;
		class Socket extends FakeUDP {
			constructor(options: { onReadable: (count: number) => void }) {
				super(options);
				socket = this;
			}
		}
		requestTime(
			{ timer: clock.timer, time: clock.time, resolve: (_, found) => found("10.9.9.9") },
			Socket,
			(time) => times.push(time),
		);
		socket!.receive(answerTimeRequest(socket!.sent[0]!.bytes, now, now)!);
		assert.ok(Math.abs(times[0]! - now) < 0.01);
	}
});
