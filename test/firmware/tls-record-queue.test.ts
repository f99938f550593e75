import assert from "node:assert/strict";
import { test } from "node:test";
import { HandshakeOrder } from "../../firmware/tls/handshake-order";
import { RecordQueue } from "../../firmware/tls/record-queue";
import type { TCP } from "../../src/device";

/** A socket with `room` that keeps what is written. */
function socketWith(room: number): { tcp: TCP; sent: number[][]; grant(room: number): void; lose(): void } {
	const sent: number[][] = [];
	let left: number | undefined = room;
	const tcp: TCP = {
		read: () => undefined,
		write(bytes) {
			if (left === undefined) return undefined;
			if (bytes.length > left) throw new Error("would block");
			sent.push([...bytes]);
			left -= bytes.length;
			return left;
		},
		close() {},
	};
	return {
		tcp,
		sent,
		grant(more) {
			left = more;
		},
		lose() {
			left = undefined;
		},
	};
}

test("records leave at once while there is room, and in order as soon as there is again", () => {
	const socket = socketWith(5);
	const queue = new RecordQueue();
	queue.tcp = socket.tcp;
	queue.room = 5;
	queue.write(Uint8Array.of(1, 2));
	queue.write(Uint8Array.of(3, 4, 5, 6).buffer);
	queue.write(Uint8Array.of(7));
	assert.deepEqual(socket.sent, [[1, 2]], "the third would fit, but has to wait for the second");
	assert.equal(queue.isEmpty, false);
	socket.grant(4);
	queue.room = 4;
	queue.flush();
	assert.deepEqual(socket.sent.slice(1), [[3, 4, 5, 6]]);
	socket.grant(9);
	queue.room = 9;
	queue.flush();
	assert.deepEqual(socket.sent.slice(2), [[7]]);
	assert.ok(queue.isEmpty);
	assert.equal(queue.room, 8);
	assert.equal(queue.isLost, false);
});

test("a write that fails, or throws, is a lost connection", () => {
	for (const lose of [true, false]) {
		const socket = socketWith(lose ? 10 : 0);
		const queue = new RecordQueue();
		queue.tcp = socket.tcp;
		queue.room = 10;
		if (lose) socket.lose();
		queue.write(Uint8Array.of(1));
		assert.ok(queue.isLost);
		assert.equal(queue.room, 0);
	}
});

test("what a server sends in the clear is checked as it is read, and no more once it is encrypted", () => {
	const queue = new RecordQueue();
	queue.order = new HandshakeOrder();
	queue.tcp = {
		read(buffer) {
			buffer[0] = 23;
			return 1;
		},
		write: () => 0,
		close() {},
	};
	assert.throws(() => queue.read(new Uint8Array(1)), /data before the end/);
	queue.order.isOver = true;
	queue.read(new Uint8Array(1));
	assert.equal(queue.order, undefined);
});
