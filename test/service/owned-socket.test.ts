import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import {
	attachOwner,
	detachOwner,
	type SocketOwner,
	startReading,
	transferOwner,
} from "../../sim/service/owned-socket";

/** A socket without a connection: what it "reads" is what the test gives to push(), as Node does. */
function setUp() {
	const told: string[] = [];
	let accepting = true;
	const owner: SocketOwner = {
		canReceive: () => accepting,
		onReceived: (chunk) => told.push([...chunk].join()),
		onDrained: () => told.push("drained"),
		onClosed: () => told.push("gone"),
	};
	const socket = new Socket({ allowHalfOpen: true });
	attachOwner(socket, owner);
	transferOwner(socket, owner);
	return {
		told,
		socket,
		push: (byte: number) => socket.push(Buffer.of(byte)),
		take(value: boolean) {
			accepting = value;
		},
	};
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what comes before it is received waits; then it goes straight to the owner", async () => {
	const { told, socket, push } = setUp();
	push(1);
	startReading(socket);
	assert.deepEqual(told, []);
	await nextTurn();
	assert.deepEqual(told, ["1"]);
	assert.equal(push(2), true);
	assert.deepEqual(told, ["1", "2"]);
});

test("what the owner does not take waits in the stream, and nothing overtakes it", async () => {
	const { told, socket, push, take } = setUp();
	startReading(socket);
	await nextTurn();
	socket.pause();
	take(false);
	push(1);
	take(true);
	push(2);
	assert.deepEqual(told, []);
	socket.resume();
	push(3);
	await nextTurn();
	assert.deepEqual(told.join().split(","), ["1", "2", "3"]);
	push(4);
	assert.deepEqual(told.at(-1), "4");
});

test("a chunk that comes as an event reaches the owner too", () => {
	const { told, socket } = setUp();
	startReading(socket);
	socket.emit("data", Uint8Array.of(1));
	assert.deepEqual(told, ["1"]);
});

test("the peer's end, errors and room are told, until the socket is abandoned", async () => {
	const { told, socket, push } = setUp();
	startReading(socket);
	await nextTurn();
	socket.emit("drain");
	socket.push(null);
	await nextTurn();
	assert.deepEqual(told, ["drained", "gone"]);
	detachOwner(socket);
	push(1);
	socket.destroy(new Error("lost"));
	await nextTurn();
	assert.deepEqual(told, ["drained", "gone"]);
});
