import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device } from "../../src/device";
import { QOS1 } from "../../src/mqtt/constants";
import { InMachineSocket } from "../support/in-machine-socket";
import { RecordingClient } from "./recording-client";

const CONNACK = Uint8Array.of(0x20, 3, 0, 0, 0);

/** A connected client on a socket of which the test is the peer. */
function connect() {
	let clockReadings = 0;
	const device: Pick<Device, "tcp" | "timer" | "time" | "resolve"> = {
		tcp: { io: InMachineSocket },
		timer: { set: () => ({}), schedule() {}, clear() {} },
		time: {
			get ticks() {
				clockReadings++;
				return 0;
			},
			delta: (start, end = 0) => end - start,
		},
		resolve: (host, callback) => callback(host),
	};
	const client = new RecordingClient({}, device);
	client.open();
	const socket = InMachineSocket.last;
	socket.grant();
	socket.deliver(CONNACK);
	assert.equal(client.opened.length, 1);
	return { client, socket, clockReadings: () => clockReadings };
}

test("room to write, and nothing to write: no turn of the client", () => {
	const { client, socket, clockReadings } = connect();
	assert.equal(client.publish("21.5", QOS1), 1);
	const before = clockReadings();
	const { packets } = socket;
	socket.grant();
	assert.equal(clockReadings(), before);
	assert.equal(socket.packets, packets);
});

test("a message for which the socket had no room leaves as soon as it has", () => {
	const { client, socket } = connect();
	socket.frozen = true;
	socket.grant(10);
	const { packets } = socket;
	assert.equal(client.publish("21.5", QOS1), 1);
	assert.equal(socket.packets, packets);
	socket.grant(12);
	assert.equal(socket.packets, packets);
	socket.grant(5744);
	assert.equal(socket.packets, packets + 1);
});

test("an application that was told BUSY is called once there is room again", () => {
	const { client, socket } = connect();
	socket.frozen = true;
	socket.grant(10);
	while (client.publish("21.5", 0) === 0);
	const { length } = client.writable;
	socket.grant(10);
	assert.equal(client.writable.length, length);
	socket.grant(5744);
	assert.equal(client.writable.length, length + 1);
});
