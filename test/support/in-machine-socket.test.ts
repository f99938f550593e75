import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RECEIVE_WINDOW, SEND_ROOM } from "../../sim/network/socket";
import { VirtualNetwork } from "../../sim/network/virtual";
import type { TCP, TCPOptions } from "../../src/device";
import { InMachineSocket } from "./in-machine-socket";
import { VirtualClock } from "./virtual-clock";

/** One socket of a device and what its peer and its platform can do, on either implementation. */
interface Ends {
	readonly socket: TCP;
	deliver(length: number): void;
	/** The peer closes or vanishes. */
	fail(): void;
	/** Everything that is due by now has been told. */
	settle(): void;
}

type Connect = (options: TCPOptions, room?: number) => Ends;

const connectInMachine: Connect = (options, room) => {
	const socket = new InMachineSocket(options);
	socket.frozen = room !== undefined;
	socket.grant(room);
	return {
		socket,
		deliver: (length) => socket.deliver(new Uint8Array(length).map((_, i) => i)),
		fail: () => socket.fail(),
		settle: () => socket.turn(),
	};
};

/** With `room`, the acknowledgements of what the device writes are on their way for a long time. */
const connectSimulated: Connect = (options, room) => {
	const clock = new VirtualClock();
	const latency = 10;
	const network = new VirtualNetwork(clock.scheduler, { latency });
	const [device, server] = [network.host("10.0.0.2"), network.host("10.0.0.1")];
	if (room !== undefined) device.sendRoom = room;
	const listener = server.listen(1883, () => {});
	const socket = device.connect(server.address, 1883);
	socket.handler = {
		readable: (bytes) => options.onReadable!(bytes),
		writable: (bytes) => options.onWritable!(bytes),
		failed: () => options.onError!(),
	};
	clock.advance(10 * latency);
	const peer = listener.accept()!;
	return {
		socket,
		deliver: (length) => {
			peer.write(new Uint8Array(length).map((_, i) => i));
			clock.advance(10 * latency);
		},
		fail: () => {
			peer.close();
			clock.advance(10 * latency);
		},
		settle: () => clock.advance(10 * latency),
	};
};

/** What the device's code sees: the calls it gets, and the results of its own. */
type Scenario = (connect: Connect, log: unknown[]) => void;

function options(log: unknown[], onReadable: (bytes: number) => void = () => {}): TCPOptions {
	return {
		onReadable: (bytes) => {
			log.push(["readable", bytes]);
			onReadable(bytes);
		},
		onWritable: (bytes) => log.push(["writable", bytes]),
		onError: () => log.push(["error"]),
	};
}

function read(socket: TCP, length: number, log: unknown[]): void {
	const buffer = new Uint8Array(length);
	try {
		log.push(["read", socket.read(buffer), [...buffer]]);
	} catch (error) {
		log.push(["read", String(error)]);
	}
}

function write(socket: TCP, length: number, log: unknown[]): void {
	try {
		log.push(["write", socket.write(new Uint8Array(length))]);
	} catch (error) {
		log.push(["write", String(error)]);
	}
}

const scenarios: Record<string, Scenario> = {
	"read until empty within onReadable: the bytes, then undefined": (connect, log) => {
		const { socket, deliver } = connect(
			options(log, () => {
				read(socket, 2, log);
				read(socket, 3, log);
				read(socket, 1, log);
			}),
		);
		deliver(5);
		deliver(5);
	},
	"read in parts after onReadable: the rest stays in the socket": (connect, log) => {
		const { socket, deliver } = connect(options(log));
		deliver(5);
		read(socket, 1, log);
		read(socket, 4, log);
		deliver(3);
		read(socket, 3, log);
	},
	"read of more than there is, or of nothing: invalid, and no byte is lost": (connect, log) => {
		const { socket, deliver } = connect(options(log));
		read(socket, 1, log);
		deliver(3);
		read(socket, 4, log);
		read(socket, 0, log);
		read(socket, 3, log);
	},
	"idle peer: the room of an empty send buffer": (connect, log) => {
		connect(options(log));
	},
	"write to a peer that does not read: the room left; more than that would block": (connect, log) => {
		const { socket } = connect(options(log), 600);
		write(socket, 200, log);
		write(socket, 401, log);
		write(socket, 400, log);
		write(socket, 1, log);
		write(socket, 0, log);
	},
	"end with nothing unread: one error, then no write": (connect, log) => {
		const { socket, fail, settle } = connect(options(log));
		fail();
		write(socket, 1, log);
		write(socket, 0, log);
		log.push(socket.close());
		settle();
	},
	"end behind unread bytes: the error follows the last read, in a later turn": (connect, log) => {
		const { socket, deliver, fail, settle } = connect(options(log));
		deliver(4);
		fail();
		write(socket, 0, log);
		read(socket, 3, log);
		settle();
		read(socket, 1, log);
		log.push("read");
		settle();
		read(socket, 1, log);
		socket.close();
	},
	"closed by its owner: nothing is read, no callback follows, closing again does nothing": (connect, log) => {
		const { socket, deliver, fail, settle } = connect(options(log));
		deliver(4);
		socket.close();
		read(socket, 1, log);
		deliver(4);
		socket.close();
		fail();
		settle();
	},
	"closed within onReadable: no callback follows": (connect, log) => {
		const { socket, deliver, settle } = connect(options(log, () => socket.close()));
		deliver(4);
		deliver(4);
		settle();
	},
};

describe("the socket of benches inside XS machines behaves as one of sim/network", () => {
	for (const [title, run] of Object.entries(scenarios)) {
		it(title, () => {
			const [actual, expected]: [unknown[], unknown[]] = [[], []];
			run(connectInMachine, actual);
			run(connectSimulated, expected);
			assert.ok(expected.length > 0);
			assert.deepEqual(actual, expected);
		});
	}
});

describe("the peer of a socket inside XS", () => {
	it("reads at once: the room is full after each write", () => {
		const socket = new InMachineSocket({});
		assert.equal(socket.write(new Uint8Array(SEND_ROOM)), SEND_ROOM);
		assert.equal(socket.write(new Uint8Array(1)), SEND_ROOM);
		assert.equal(socket.packets, 2);
		assert.throws(() => socket.write(new Uint8Array(SEND_ROOM + 1)), /would block/);
		assert.equal(socket.packets, 2);
	});

	it("delivers while bytes are unread: an error of the bench", () => {
		const socket = new InMachineSocket({ onReadable() {} });
		socket.deliver(new Uint8Array(RECEIVE_WINDOW));
		socket.read(new Uint8Array(1));
		assert.throws(() => socket.deliver(new Uint8Array(1)), /unread/);
	});

	it("defaults in the prototype: a socket in use has five properties of its own", () => {
		const socket = new InMachineSocket({ onWritable() {}, onReadable() {} });
		socket.grant();
		socket.deliver(new Uint8Array(1));
		socket.read(new Uint8Array(1));
		socket.write(new Uint8Array(1));
		assert.deepEqual(Object.keys(socket), ["options", "input", "at", "end", "packets"]);
	});
});
