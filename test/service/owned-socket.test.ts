import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import {
	attachOwner,
	replaceOwner,
	type SocketOwner,
	startReading,
	transferOwner,
} from "../../sim/service/owned-socket";

/** A socket without a connection: the test calls push(), as Node does for received data. */
function setUp() {
	const events: string[] = [];
	let accepting = true;
	const owner: SocketOwner = {
		canReceive: () => accepting,
		onReceived: (chunk) => events.push([...chunk].join()),
		onDrained: () => events.push("drained"),
		onClosed: () => events.push("gone"),
	};
	const socket = new Socket({ allowHalfOpen: true });
	attachOwner(socket, owner);
	transferOwner(socket, owner);
	return {
		events,
		owner,
		socket,
		push: (byte: number) => socket.push(Buffer.of(byte)),
		take(value: boolean) {
			accepting = value;
		},
	};
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("data received before the owner reads is queued, later data goes to the owner", async () => {
	const { events, socket, push } = setUp();
	push(1);
	startReading(socket);
	assert.deepEqual(events, []);
	await nextTurn();
	assert.deepEqual(events, ["1"]);
	assert.equal(push(2), true);
	assert.deepEqual(events, ["1", "2"]);
});

test("data that the owner does not take is queued in the stream, and order is kept", async () => {
	const { events, socket, push, take } = setUp();
	startReading(socket);
	await nextTurn();
	socket.pause();
	take(false);
	push(1);
	take(true);
	push(2);
	assert.deepEqual(events, []);
	socket.resume();
	push(3);
	await nextTurn();
	assert.deepEqual(events.join().split(","), ["1", "2", "3"]);
	push(4);
	assert.deepEqual(events.at(-1), "4");
});

test("a chunk that arrives as an event reaches the owner too", () => {
	const { events, socket } = setUp();
	startReading(socket);
	socket.emit("data", Uint8Array.of(1));
	assert.deepEqual(events, ["1"]);
});

test("end, errors and room are reported until the owner is replaced", async () => {
	const { events, socket, push } = setUp();
	startReading(socket);
	await nextTurn();
	socket.emit("drain");
	socket.push(null);
	await nextTurn();
	assert.deepEqual(events, ["drained", "gone"]);
	replaceOwner(socket, setUp().owner);
	push(1);
	socket.destroy(new Error("lost"));
	await nextTurn();
	assert.deepEqual(events, ["drained", "gone"]);
});
