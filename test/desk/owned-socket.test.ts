import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { abandon, handOver, own, receive, type SocketOwner } from "../../sim/desk/owned-socket";

/** A socket without a connection: what it "reads" is what the test gives to push(), as Node does. */
function scene() {
	const told: string[] = [];
	let takes = true;
	const owner: SocketOwner = {
		takes: () => takes,
		received: (chunk) => told.push([...chunk].join()),
		drained: () => told.push("drained"),
		gone: () => told.push("gone"),
	};
	const socket = new Socket({ allowHalfOpen: true });
	own(socket, owner);
	handOver(socket, owner);
	return {
		told,
		socket,
		push: (byte: number) => socket.push(Buffer.of(byte)),
		take(value: boolean) {
			takes = value;
		},
	};
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what comes before it is received waits; then it goes straight to the owner", async () => {
	const { told, socket, push } = scene();
	push(1);
	receive(socket);
	assert.deepEqual(told, []);
	await soon();
	assert.deepEqual(told, ["1"]);
	assert.equal(push(2), true);
	assert.deepEqual(told, ["1", "2"]);
});

test("what the owner does not take waits in the stream, and nothing overtakes it", async () => {
	const { told, socket, push, take } = scene();
	receive(socket);
	await soon();
	socket.pause();
	take(false);
	push(1);
	take(true);
	push(2);
	assert.deepEqual(told, []);
	socket.resume();
	push(3);
	await soon();
	assert.deepEqual(told.join().split(","), ["1", "2", "3"]);
	push(4);
	assert.deepEqual(told.at(-1), "4");
});

test("a chunk that comes as an event reaches the owner too", () => {
	const { told, socket } = scene();
	receive(socket);
	socket.emit("data", Uint8Array.of(1));
	assert.deepEqual(told, ["1"]);
});

test("the peer's end, errors and room are told, until the socket is abandoned", async () => {
	const { told, socket, push } = scene();
	receive(socket);
	await soon();
	socket.emit("drain");
	socket.push(null);
	await soon();
	assert.deepEqual(told, ["drained", "gone"]);
	abandon(socket);
	push(1);
	socket.destroy(new Error("lost"));
	await soon();
	assert.deepEqual(told, ["drained", "gone"]);
});
