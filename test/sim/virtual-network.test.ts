import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import { type VirtualHost, VirtualNetwork } from "../../sim/network/virtual";
import type { VirtualSocket } from "../../sim/network/virtual-socket";

const LATENCY_MS = 7;

/** Records the callbacks of a socket, as "time event". */
class SocketPeer<Socket extends HostSocket = HostSocket> {
	readonly log: string[] = [];
	readonly received: number[] = [];
	readonly socket: Socket;
	/** Whether received data is read at once. */
	reads = true;
	/** Called after each read with all bytes so far. */
	onData: (() => void) | undefined;
	onRoomAvailable: ((room: number) => void) | undefined;

	constructor(scheduler: Scheduler, socket: Socket) {
		this.socket = socket;
		socket.handler = {
			readable: (bytes) => {
				this.log.push(`${scheduler.now} readable ${bytes}`);
				if (this.reads) this.read(bytes);
			},
			writable: (room) => {
				this.log.push(`${scheduler.now} writable ${room}`);
				this.onRoomAvailable?.(room);
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

class HostPair {
	readonly scheduler = new Scheduler(0);
	readonly network: VirtualNetwork;
	readonly clientHost: VirtualHost;
	readonly serverHost: VirtualHost;
	server: SocketPeer | undefined;
	readonly accepted: number[] = [];

	/** @param seed of packets that are lost or late */
	constructor(prepare?: (server: SocketPeer) => void, seed = 0) {
		this.network = new VirtualNetwork(this.scheduler, { latency: LATENCY_MS, seed });
		this.clientHost = this.network.host("10.0.0.1");
		this.serverHost = this.network.host("10.0.0.2");
		const listener = this.serverHost.listen(1883, () => {
			for (let socket = listener.accept(); socket; socket = listener.accept()) {
				this.accepted.push(this.scheduler.now);
				this.server = new SocketPeer(this.scheduler, socket);
				prepare?.(this.server);
			}
		});
	}

	connect(port = 1883): SocketPeer<VirtualSocket> {
		return new SocketPeer(this.scheduler, this.clientHost.connect("10.0.0.2", port));
	}

	run(until = Infinity): void {
		while (this.scheduler.step(until));
		if (until !== Infinity) this.scheduler.advance(until);
	}
}

const bytes = (length: number, seed = 0): Uint8Array =>
	Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 255);

describe("the virtual network", () => {
	test("a device that receives after close() resets the connection, as lwIP does", () => {
		const hostPair = new HostPair((server) => server.socket.close());
		const peer = hostPair.connect();
		let wrote = false;
		peer.onRoomAvailable = () => {
			if (!wrote) peer.socket.write(Uint8Array.of(1));
			wrote = true;
		};
		hostPair.run();
		assert.equal(hostPair.clientHost.connections, 0);
		assert.throws(() => peer.socket.write(Uint8Array.of(2)), /not ready/);
	});

	test("SYN, SYN/ACK, data and answer take one latency each: PUBACK after 4, unpipelined after 6", () => {
		// The server answers each byte at once: 1 is CONNECT, 2 is PUBLISH.
		const hostPair = new HostPair((server) => {
			let answered = 0;
			server.onData = () => {
				const all = server.received;
				for (; answered < all.length; answered++) server.socket.write(Uint8Array.of(100 + all[answered]!));
			};
		});
		const pipelined = hostPair.connect();
		pipelined.onRoomAvailable = (room) => {
			if (room !== 5744 || pipelined.received.length > 0) return;
			pipelined.onRoomAvailable = undefined;
			pipelined.socket.write(Uint8Array.of(1));
			pipelined.socket.write(Uint8Array.of(2));
		};
		hostPair.run();
		assert.deepEqual(hostPair.accepted, [3 * LATENCY_MS]);
		assert.deepEqual(pipelined.log, [
			`${2 * LATENCY_MS} writable 5744`,
			`${4 * LATENCY_MS} readable 2`,
			`${4 * LATENCY_MS} writable 5744`,
		]);
		assert.deepEqual(pipelined.received, [101, 102]);
		assert.deepEqual(
			{ ...pipelined.socket.statistics },
			{ sent: 2, received: 2, roundTrips: 2, openedAt: 0, lastReceivedAt: 4 * LATENCY_MS },
		);

		const start = hostPair.scheduler.now;
		const waitingPeer = hostPair.connect();
		let connected = false;
		waitingPeer.onRoomAvailable = () => {
			if (!connected) waitingPeer.socket.write(Uint8Array.of(1));
			connected = true;
		};
		waitingPeer.onData = () => {
			if (waitingPeer.received.length === 1) waitingPeer.socket.write(Uint8Array.of(2));
		};
		hostPair.run();
		assert.equal(waitingPeer.socket.statistics.lastReceivedAt - start, 6 * LATENCY_MS);
		assert.equal(waitingPeer.socket.statistics.roundTrips, 3);
	});

	test("a write too early, above the room, or after the end fails as in lwIP", () => {
		const hostPair = new HostPair((server) => {
			server.reads = false;
		});
		const client = hostPair.connect();
		assert.throws(() => client.socket.write(bytes(1)), /not ready/);
		hostPair.run(2 * LATENCY_MS);
		assert.throws(() => client.socket.write(bytes(5745)), /would block/);
		assert.equal(client.socket.write(bytes(5000)), 744);
		assert.throws(() => client.socket.write(bytes(745)), /would block/);
		assert.equal(client.socket.write(bytes(744)), 0);
		assert.equal(client.socket.write(bytes(0)), 0);
		hostPair.run(4 * LATENCY_MS);
		assert.equal(client.log.at(-1), `${4 * LATENCY_MS} writable 5744`);
		// The window is full: later writes stay in the send buffer.
		client.socket.write(bytes(100));
		hostPair.run(10 * LATENCY_MS);
		assert.equal(client.log.length, 2);
		hostPair.server!.read(5744);
		hostPair.run(20 * LATENCY_MS);
		assert.deepEqual(client.log.slice(2), [`${13 * LATENCY_MS} writable 5744`]);
		hostPair.server!.read(100);
		hostPair.server!.socket.close();
		hostPair.run();
		assert.equal(client.log.at(-1), `${21 * LATENCY_MS} failed`);
		assert.throws(() => client.socket.write(bytes(1)), /not ready/);
	});

	test("a read takes exactly the available bytes, or throws; it returns undefined if there are none", () => {
		const hostPair = new HostPair((server) => {
			server.reads = false;
			server.socket.write(bytes(10));
		});
		const client = hostPair.connect();
		client.reads = false;
		hostPair.run();
		assert.throws(() => client.socket.read(new Uint8Array(11)), /invalid/);
		assert.throws(() => client.socket.read(new Uint8Array(0)), /invalid/);
		const into = new Uint8Array(4);
		assert.equal(client.socket.read(into), 4);
		assert.deepEqual(into, bytes(10).subarray(0, 4));
		assert.equal(client.socket.read(new Uint8Array(6)), 6);
		assert.equal(client.socket.read(new Uint8Array(1)), undefined);
	});

	test("the end of the connection is reported only when all received data has been read", () => {
		const hostPair = new HostPair((server) => {
			server.socket.write(bytes(3));
			server.socket.close();
		});
		const client = hostPair.connect();
		client.reads = false;
		hostPair.run();
		assert.deepEqual(client.log, [`${2 * LATENCY_MS} writable 5744`, `${4 * LATENCY_MS} readable 3`]);
		client.read(2);
		hostPair.run();
		assert.equal(client.log.length, 2);
		client.read(1);
		hostPair.run();
		assert.match(client.log.at(-1)!, /failed/);
		client.socket.close();
		hostPair.run();
		assert.deepEqual([hostPair.clientHost.connections, hostPair.serverHost.connections], [0, 0]);
	});

	test("close sends the written data, then FIN; with unread data it sends RST and the rest is lost", () => {
		for (const unread of [false, true]) {
			const hostPair = new HostPair((server) => server.socket.write(bytes(1)));
			const client = hostPair.connect();
			client.reads = !unread;
			hostPair.run();
			client.socket.write(bytes(5));
			client.socket.close();
			client.socket.close();
			hostPair.run();
			assert.equal(hostPair.server!.received.length, unread ? 0 : 5);
			assert.match(hostPair.server!.log.at(-1)!, /failed/);
		}
	});

	test("refused connections fail after two latencies; unknown names do not resolve", () => {
		const hostPair = new HostPair();
		const closed = hostPair.connect(99);
		hostPair.serverHost.refusing = true;
		const refused = hostPair.connect();
		hostPair.run();
		assert.deepEqual([closed.log, refused.log], [[`${2 * LATENCY_MS} failed`], [`${2 * LATENCY_MS} failed`]]);
		assert.throws(() => hostPair.clientHost.connect("broker.local", 1883), /invalid address/);
		assert.throws(() => hostPair.serverHost.listen(1883, () => {}), /socket bind/);
		hostPair.network.names.set("broker.local", "10.0.0.2");
		const found: (string | undefined)[] = [];
		for (const name of ["broker.local", "nowhere.local", "10.9.9.9"])
			hostPair.clientHost.resolve(name, (address) => found.push(address));
		hostPair.run();
		assert.deepEqual(found, ["10.9.9.9", "10.0.0.2", undefined]);
	});

	test("a black hole drops SYN and data; both are sent again when it ends, or time out", () => {
		const hostPair = new HostPair();
		hostPair.serverHost.blackHole = true;
		const client = hostPair.connect();
		hostPair.run(1000);
		assert.deepEqual(client.log, []);
		hostPair.serverHost.blackHole = false;
		hostPair.run(3000);
		assert.equal(client.log[0], `${1500 + 2 * LATENCY_MS} writable 5744`);
		hostPair.serverHost.blackHole = true;
		client.socket.write(bytes(3));
		hostPair.run(4000);
		client.socket.write(bytes(2, 9));
		hostPair.run(5000);
		hostPair.serverHost.blackHole = false;
		hostPair.run(60_000);
		assert.deepEqual(hostPair.server!.received, [...bytes(3), ...bytes(2, 9)]);
		hostPair.serverHost.blackHole = true;
		client.socket.write(bytes(1));
		hostPair.run();
		assert.match(client.log.at(-1)!, /failed/);
		assert.ok(hostPair.scheduler.now > 300_000, "after minutes of tries");
		const unansweredPeer = hostPair.connect();
		hostPair.run();
		assert.match(unansweredPeer.log.at(-1)!, /failed/);
	});

	test("a device that vanishes sends nothing; after its return it answers old connections with RST", () => {
		const hostPair = new HostPair();
		const client = hostPair.connect();
		hostPair.run();
		hostPair.clientHost.reset();
		hostPair.clientHost.up = false;
		hostPair.server!.socket.write(bytes(4));
		hostPair.run(hostPair.scheduler.now + 1000);
		assert.doesNotMatch(hostPair.server!.log.join(), /failed/);
		hostPair.clientHost.up = true;
		hostPair.run();
		assert.match(hostPair.server!.log.at(-1)!, /failed/);
		assert.equal(client.log.length, 1);
	});

	test("a killed program resets its connections", () => {
		const hostPair = new HostPair();
		const client = hostPair.connect();
		hostPair.run();
		hostPair.serverHost.resetConnections();
		hostPair.run();
		assert.match(client.log.at(-1)!, /failed/);
		assert.deepEqual([hostPair.clientHost.connections, hostPair.serverHost.connections], [0, 0]);
	});

	test("a host with a narrow window that does not read: the rest waits at the sender, and follows byte by byte", () => {
		const hostPair = new HostPair((server) => {
			server.reads = false;
		});
		hostPair.serverHost.receiveWindow = 100;
		hostPair.clientHost.sendRoom = 50;
		const client = hostPair.connect();
		hostPair.run();
		for (const length of [50, 50, 30]) {
			client.socket.write(bytes(length));
			hostPair.run();
		}
		const rooms = client.log.map((line) => Number(line.split(" ")[2]));
		assert.deepEqual(rooms, [50, 50, 50], "the last 30 bytes are not acknowledged");
		assert.throws(() => client.socket.write(bytes(21)), /would block/);
		for (let room = 21; room <= 50; room++) {
			hostPair.server!.read(1);
			hostPair.run();
			assert.match(client.log.at(-1)!, new RegExp(`writable ${room}$`));
		}
	});

	test("RST while bytes are unread: they are kept, or lost on a host that discards them", () => {
		for (const discards of [false, true]) {
			const hostPair = new HostPair((server) => {
				server.reads = false;
			});
			hostPair.serverHost.discardsOnReset = discards;
			const client = hostPair.connect();
			hostPair.run();
			client.socket.write(bytes(3));
			hostPair.run();
			client.socket.reset();
			hostPair.run();
			const { log, socket } = hostPair.server!;
			assert.equal(/failed/.test(log.at(-1)!), discards, "told once nothing is unread");
			assert.equal(socket.read(new Uint8Array(3)), discards ? undefined : 3);
			hostPair.run();
			assert.match(log.at(-1)!, /failed/);
		}
	});

	test("the peer's address: known once connected, not to be asked for after a reset, as on lwIP", () => {
		const hostPair = new HostPair();
		const client = hostPair.connect();
		assert.throws(() => client.socket.remoteAddress, /not connected/);
		hostPair.run();
		const { socket } = hostPair.server!;
		assert.equal(client.socket.remoteAddress, "10.0.0.2");
		assert.equal(socket.remoteAddress, "10.0.0.1");
		client.socket.reset();
		hostPair.run();
		assert.throws(() => socket.remoteAddress, /not connected/);
	});

	test("an accepted connection that was reset before its takeover cannot be taken over", () => {
		const hostPair = new HostPair();
		const listener = hostPair.serverHost.listen(7, () => {});
		const client = hostPair.clientHost.connect("10.0.0.2", 7);
		hostPair.run();
		const accepted = listener.accept()!;
		client.abandon();
		accepted.write(bytes(1));
		hostPair.run();
		assert.throws(() => {
			accepted.handler = { readable() {}, writable() {}, failed() {} };
		}, /invalid from/);
	});

	test("half of the packets lost, the others late: all bytes arrive in order, and each side learns of the end", () => {
		for (const seed of [1, 2, 3]) {
			const hostPair = new HostPair(undefined, seed);
			const client = hostPair.connect();
			hostPair.run(2 * LATENCY_MS);
			hostPair.serverHost.lossRate = 0.5;
			hostPair.clientHost.delay = 500;
			const sent: number[] = [];
			for (let i = 0; i < 10; i++) {
				hostPair.run(hostPair.scheduler.now + 100);
				const data = bytes(50, sent.length);
				client.socket.write(data);
				sent.push(...data);
			}
			hostPair.run(hostPair.scheduler.now + 600_000);
			assert.deepEqual(hostPair.server!.received, sent);
			hostPair.server!.socket.close();
			hostPair.run(hostPair.scheduler.now + 600_000);
			assert.match(client.log.at(-1)!, /failed/);
		}
	});

	test("late packets of one connection do not overtake each other", () => {
		const hostPair = new HostPair();
		const client = hostPair.connect();
		hostPair.run(2 * LATENCY_MS);
		hostPair.serverHost.delay = 2000;
		client.socket.write(bytes(10));
		hostPair.run(hostPair.scheduler.now + 1);
		hostPair.serverHost.delay = 0;
		client.socket.write(bytes(10, 310));
		hostPair.run(hostPair.scheduler.now + 3000);
		assert.deepEqual(hostPair.server!.received, [...bytes(20)]);
	});

	test("severed connections: nothing arrives, nobody is told, until TCP gives up; new ones work", () => {
		const hostPair = new HostPair();
		const client = hostPair.connect();
		hostPair.run(4 * LATENCY_MS);
		hostPair.serverHost.severConnections();
		const { log } = hostPair.server!;
		const before = [...log];
		client.socket.write(bytes(10));
		hostPair.run(hostPair.scheduler.now + 60_000);
		assert.deepEqual(hostPair.server!.received, []);
		assert.ok(!client.log.some((line) => line.includes("failed")));
		hostPair.run(hostPair.scheduler.now + 3_600_000);
		assert.match(client.log.at(-1)!, /failed/);
		assert.deepEqual(log, before, "the server has sent nothing, and so never learns of it");
		const again = hostPair.connect();
		hostPair.run(hostPair.scheduler.now + 2 * LATENCY_MS);
		assert.match(again.log.at(-1)!, /writable/);
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
					const hostPair = new HostPair();
					const client = hostPair.connect();
					hostPair.run(2 * LATENCY_MS);
					const sent: number[] = [];
					for (const { pause, length, outage, reads } of steps) {
						hostPair.serverHost.blackHole = outage;
						hostPair.run(hostPair.scheduler.now + pause);
						const server = hostPair.server;
						if (server) server.reads = reads;
						const data = bytes(length, sent.length);
						try {
							client.socket.write(data);
							sent.push(...data);
						} catch (error) {
							assert.match((error as Error).message, /would block/);
						}
					}
					hostPair.serverHost.blackHole = false;
					hostPair.run(hostPair.scheduler.now + 200_000);
					const server = hostPair.server;
					if (!server) return;
					server.reads = true;
					for (let before = -1; before !== server.received.length; ) {
						before = server.received.length;
						const probe = new Uint8Array(1);
						if (server.socket.read(probe) === 1) server.received.push(probe[0]!);
						hostPair.run();
					}
					assert.deepEqual(server.received, sent);
				},
			),
			{ numRuns: 60 },
		);
	});
});
