import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import { type VirtualHost, VirtualNetwork } from "../../sim/network/virtual";

const L = 7;

/** Notes what a socket is told, as [time, what]. */
class Peer {
	readonly log: string[] = [];
	readonly received: number[] = [];
	readonly socket: HostSocket;
	/** Reads at once what comes. */
	reads = true;
	/** Called after each read with all bytes so far. */
	onData: (() => void) | undefined;
	onRoom: ((room: number) => void) | undefined;

	constructor(scheduler: Scheduler, socket: HostSocket) {
		this.socket = socket;
		socket.handler = {
			readable: (bytes) => {
				this.log.push(`${scheduler.now} readable ${bytes}`);
				if (this.reads) this.read(bytes);
			},
			writable: (room) => {
				this.log.push(`${scheduler.now} writable ${room}`);
				this.onRoom?.(room);
			},
			failed: () => this.log.push(`${scheduler.now} failed`),
		};
	}

	read(bytes: number): void {
		const into = new Uint8Array(bytes);
		assert.equal(this.socket.read(into), bytes);
		this.received.push(...into);
		this.onData?.();
	}
}

class Wire {
	readonly scheduler = new Scheduler(0);
	readonly network = new VirtualNetwork(this.scheduler, { latency: L });
	readonly here: VirtualHost = this.network.host("10.0.0.1");
	readonly there: VirtualHost = this.network.host("10.0.0.2");
	server: Peer | undefined;
	readonly accepted: number[] = [];

	constructor(prepare?: (server: Peer) => void) {
		const listener = this.there.listen(1883, () => {
			for (let socket = listener.accept(); socket; socket = listener.accept()) {
				this.accepted.push(this.scheduler.now);
				this.server = new Peer(this.scheduler, socket);
				prepare?.(this.server);
			}
		});
	}

	connect(port = 1883): Peer {
		return new Peer(this.scheduler, this.here.connect("10.0.0.2", port));
	}

	run(until = Infinity): void {
		while (this.scheduler.step(until));
		if (until !== Infinity) this.scheduler.advance(until);
	}
}

const bytes = (length: number, seed = 0): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 255);

describe("the virtual network", () => {
	test("SYN, SYN/ACK, data and answer take one latency each: CONNECT and PUBACK are four, with a wait for CONNACK six", () => {
		// The server answers each byte at once: 1 is CONNECT, 2 is PUBLISH.
		const wire = new Wire((server) => {
			let answered = 0;
			server.onData = () => {
				const all = server.received;
				for (; answered < all.length; answered++) server.socket.write(Uint8Array.of(100 + all[answered]!));
			};
		});
		const pipelined = wire.connect();
		pipelined.onRoom = (room) => {
			if (room !== 5744 || pipelined.received.length > 0) return;
			pipelined.onRoom = undefined;
			pipelined.socket.write(Uint8Array.of(1));
			pipelined.socket.write(Uint8Array.of(2));
		};
		wire.run();
		assert.deepEqual(wire.accepted, [3 * L]);
		assert.deepEqual(pipelined.log, [`${2 * L} writable 5744`, `${4 * L} readable 2`, `${4 * L} writable 5744`]);
		assert.deepEqual(pipelined.received, [101, 102]);
		assert.deepEqual({ ...pipelined.socket.statistics }, { sent: 2, received: 2, roundTrips: 2, opened: 0, lastReceived: 4 * L });

		const start = wire.scheduler.now;
		const patient = wire.connect();
		let connected = false;
		patient.onRoom = () => {
			if (!connected) patient.socket.write(Uint8Array.of(1));
			connected = true;
		};
		patient.onData = () => {
			if (patient.received.length === 1) patient.socket.write(Uint8Array.of(2));
		};
		wire.run();
		assert.equal(patient.socket.statistics.lastReceived - start, 6 * L);
		assert.equal(patient.socket.statistics.roundTrips, 3);
	});

	test("writing before the connection is up, past the room and after its end throws or returns undefined as lwIP does", () => {
		const wire = new Wire((server) => {
			server.reads = false;
		});
		const client = wire.connect();
		assert.throws(() => client.socket.write(bytes(1)), /not ready/);
		wire.run(2 * L);
		assert.throws(() => client.socket.write(bytes(5745)), /would block/);
		assert.equal(client.socket.write(bytes(5000)), 744);
		assert.throws(() => client.socket.write(bytes(745)), /would block/);
		assert.equal(client.socket.write(bytes(744)), 0);
		assert.equal(client.socket.write(bytes(0)), 0);
		wire.run(4 * L);
		assert.equal(client.log.at(-1), `${4 * L} writable 5744`);
		// The window is full: what is written now stays here.
		client.socket.write(bytes(100));
		wire.run(10 * L);
		assert.equal(client.log.length, 2);
		wire.server!.read(5744);
		wire.run(20 * L);
		assert.deepEqual(client.log.slice(2), [`${13 * L} writable 5744`]);
		wire.server!.read(100);
		wire.server!.socket.close();
		wire.run();
		assert.equal(client.log.at(-1), `${21 * L} failed`);
		assert.throws(() => client.socket.write(bytes(1)), /not ready/);
	});

	test("a read takes exactly as much as is there, or throws; nothing there is undefined", () => {
		const wire = new Wire((server) => {
			server.reads = false;
			server.socket.write(bytes(10));
		});
		const client = wire.connect();
		client.reads = false;
		wire.run();
		assert.throws(() => client.socket.read(new Uint8Array(11)), /invalid/);
		assert.throws(() => client.socket.read(new Uint8Array(0)), /invalid/);
		const into = new Uint8Array(4);
		assert.equal(client.socket.read(into), 4);
		assert.deepEqual(into, bytes(10).subarray(0, 4));
		assert.equal(client.socket.read(new Uint8Array(6)), 6);
		assert.equal(client.socket.read(new Uint8Array(1)), undefined);
	});

	test("the end of the connection is told only when everything received has been read", () => {
		const wire = new Wire((server) => {
			server.socket.write(bytes(3));
			server.socket.close();
		});
		const client = wire.connect();
		client.reads = false;
		wire.run();
		assert.deepEqual(client.log, [`${2 * L} writable 5744`, `${4 * L} readable 3`]);
		client.read(2);
		wire.run();
		assert.equal(client.log.length, 2);
		client.read(1);
		wire.run();
		assert.match(client.log.at(-1)!, /failed/);
		client.socket.close();
		wire.run();
		assert.deepEqual([wire.here.connections, wire.there.connections], [0, 0]);
	});

	test("close sends what was written, then FIN; with unread bytes it is RST and the rest is lost", () => {
		for (const unread of [false, true]) {
			const wire = new Wire((server) => server.socket.write(bytes(1)));
			const client = wire.connect();
			client.reads = !unread;
			wire.run();
			client.socket.write(bytes(5));
			client.socket.close();
			client.socket.close();
			wire.run();
			assert.equal(wire.server!.received.length, unread ? 0 : 5);
			assert.match(wire.server!.log.at(-1)!, /failed/);
		}
	});

	test("a refused connection fails after two latencies; a host without listener, one that refuses, and a name", () => {
		const wire = new Wire();
		const closed = wire.connect(99);
		wire.there.refusing = true;
		const refused = wire.connect();
		wire.run();
		assert.deepEqual([closed.log, refused.log], [[`${2 * L} failed`], [`${2 * L} failed`]]);
		assert.throws(() => wire.here.connect("broker.local", 1883), /invalid address/);
		assert.throws(() => wire.there.listen(1883, () => {}), /socket bind/);
		wire.network.names.set("broker.local", "10.0.0.2");
		const found: (string | undefined)[] = [];
		for (const name of ["broker.local", "nowhere.local", "10.9.9.9"]) wire.here.resolve(name, (address) => found.push(address));
		wire.run();
		assert.deepEqual(found, ["10.9.9.9", "10.0.0.2", undefined]);
	});

	test("a black hole swallows SYN and data; both go again when it ends, and are given up when it does not", () => {
		const wire = new Wire();
		wire.there.blackHole = true;
		const client = wire.connect();
		wire.run(1000);
		assert.deepEqual(client.log, []);
		wire.there.blackHole = false;
		wire.run(3000);
		assert.equal(client.log[0], `${1500 + 2 * L} writable 5744`);
		wire.there.blackHole = true;
		client.socket.write(bytes(3));
		wire.run(4000);
		client.socket.write(bytes(2, 9));
		wire.run(5000);
		wire.there.blackHole = false;
		wire.run(60_000);
		assert.deepEqual(wire.server!.received, [...bytes(3), ...bytes(2, 9)]);
		wire.there.blackHole = true;
		client.socket.write(bytes(1));
		wire.run();
		assert.match(client.log.at(-1)!, /failed/);
		assert.ok(wire.scheduler.now > 300_000, "after minutes of tries");
		const never = wire.connect();
		wire.run();
		assert.match(never.log.at(-1)!, /failed/);
	});

	test("a device that vanishes says nothing; when it is back, it answers old connections with RST", () => {
		const wire = new Wire();
		const client = wire.connect();
		wire.run();
		wire.here.reset();
		wire.here.up = false;
		wire.server!.socket.write(bytes(4));
		wire.run(wire.scheduler.now + 1000);
		assert.doesNotMatch(wire.server!.log.join(), /failed/);
		wire.here.up = true;
		wire.run();
		assert.match(wire.server!.log.at(-1)!, /failed/);
		assert.equal(client.log.length, 1);
	});

	test("a killed program resets its connections", () => {
		const wire = new Wire();
		const client = wire.connect();
		wire.run();
		wire.there.kill();
		wire.run();
		assert.match(client.log.at(-1)!, /failed/);
		assert.deepEqual([wire.here.connections, wire.there.connections], [0, 0]);
	});

	test("an accepted connection that was reset before anybody took it cannot be taken over", () => {
		const wire = new Wire();
		const listener = wire.there.listen(7, () => {});
		const client = wire.here.connect("10.0.0.2", 7);
		wire.run();
		const accepted = listener.accept()!;
		client.abandon();
		accepted.write(bytes(1));
		wire.run();
		assert.throws(() => {
			accepted.handler = { readable() {}, writable() {}, failed() {} };
		}, /invalid from/);
	});

	test("any sequence of writes and reads arrives whole and in order, through any outages", () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.record({
						pause: fc.integer({ min: 0, max: 3000 }),
						length: fc.integer({ min: 0, max: 4000 }),
						outage: fc.boolean(),
						reads: fc.boolean(),
					}),
					{ maxLength: 25 },
				),
				(steps) => {
					const wire = new Wire();
					const client = wire.connect();
					wire.run(2 * L);
					const sent: number[] = [];
					for (const { pause, length, outage, reads } of steps) {
						wire.there.blackHole = outage;
						wire.run(wire.scheduler.now + pause);
						const server = wire.server;
						if (server) server.reads = reads;
						const data = bytes(length, sent.length);
						try {
							client.socket.write(data);
							sent.push(...data);
						} catch (error) {
							assert.match((error as Error).message, /would block/);
						}
					}
					wire.there.blackHole = false;
					wire.run(wire.scheduler.now + 200_000);
					const server = wire.server;
					if (!server) return;
					server.reads = true;
					for (let before = -1; before !== server.received.length; ) {
						before = server.received.length;
						const probe = new Uint8Array(1);
						if (server.socket.read(probe) === 1) server.received.push(probe[0]!);
						wire.run();
					}
					assert.deepEqual(server.received, sent);
				},
			),
			{ numRuns: 60 },
		);
	});
});
