import assert from "node:assert/strict";
import net, { type AddressInfo } from "node:net";
import { after, test } from "node:test";
import { Pace } from "../../sim/clock/pace";
import { Scheduler } from "../../sim/clock/scheduler";
import { RealNetwork } from "../../sim/network/real";

const START = Date.UTC(2026, 0, 1);
const servers: net.Server[] = [];

after(() => {
	for (const server of servers) server.close();
});

async function listen(handler: (socket: net.Socket) => void): Promise<number> {
	const server = net.createServer(handler);
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return (server.address() as AddressInfo).port;
}

function setUp() {
	const scheduler = new Scheduler(START);
	const pace = new Pace(scheduler, { speed: "max" });
	return { scheduler, pace, network: new RealNetwork(scheduler, pace) };
}

test("a real connection behaves like a virtual one; time follows the wall clock meanwhile", async () => {
	const port = await listen((socket) => socket.on("data", (data) => socket.end(data)));
	const { scheduler, pace, network } = setUp();
	const log: string[] = [];
	scheduler.at(START + 3_600_000, () => {
		const socket = network.connect("127.0.0.1", port);
		assert.throws(() => socket.write(Uint8Array.of(1)), /not ready/);
		let written = false;
		socket.handler = {
			writable(room) {
				if (!written) log.push(`room ${room}, left ${socket.write(new TextEncoder().encode("hello"))}`);
				written = true;
			},
			readable(bytes) {
				const into = new Uint8Array(bytes);
				log.push(`read ${socket.read(into)} ${Buffer.from(into)}`);
			},
			failed() {
				log.push(
					`ended, ${socket.statistics.sent} sent, ${socket.statistics.received} received, ${socket.statistics.roundTrips} round trips`,
				);
				socket.close();
			},
		};
	});
	scheduler.at(START + 7_200_000, () => log.push("an hour later"));
	await pace.run();
	assert.deepEqual(log, [
		"room 5744, left 5739",
		"read 5 hello",
		"ended, 5 sent, 5 received, 2 round trips",
		"an hour later",
	]);
	network.dispose();
});

test("a refused connection fails, and so does an unknown name", async () => {
	const port = await listen(() => {});
	servers.at(-1)!.close();
	const { scheduler, pace, network } = setUp();
	const log: string[] = [];
	scheduler.after(0, () => {
		const socket = network.connect("127.0.0.1", port);
		socket.handler = {
			writable() {},
			readable() {},
			failed() {
				log.push("failed");
				socket.close();
			},
		};
		network.resolve("127.0.0.1", (address) => log.push(String(address)));
		assert.throws(() => network.connect("localhost", 1), /invalid address/);
	});
	await pace.run();
	assert.deepEqual(log.sort(), ["127.0.0.1", "failed"]);
});

test("a device that falls asleep while connected stops no clock and sends nothing", async () => {
	let callbackCount = 0;
	const port = await listen((socket) => {
		socket.on("end", () => callbackCount++);
		socket.on("error", () => callbackCount++);
	});
	const { scheduler, pace, network } = setUp();
	let later = 0;
	scheduler.after(0, () => {
		const socket = network.connect("127.0.0.1", port);
		socket.handler = {
			writable() {
				network.reset();
				scheduler.after(86_400_000, () => {
					later = scheduler.now;
				});
			},
			readable() {},
			failed() {},
		};
	});
	await pace.run();
	assert.ok(later >= START + 86_400_000);
	assert.equal(callbackCount, 0);
	network.dispose();
});

test("a peer that never answers FIN holds the clock only briefly", async () => {
	const sockets: net.Socket[] = [];
	const server = net.createServer({ allowHalfOpen: true }, (socket) => sockets.push(socket));
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { scheduler, pace, network } = setUp();
	scheduler.after(0, () => {
		const socket = network.connect("127.0.0.1", (server.address() as AddressInfo).port);
		socket.handler = { writable: () => socket.close(), readable() {}, failed() {} };
	});
	let done = false;
	scheduler.at(START + 3_600_000, () => {
		done = true;
	});
	await pace.run();
	assert.ok(done);
	for (const socket of sockets) socket.destroy();
	network.dispose();
});

test("data above the receive window waits in the kernel until it is read", async () => {
	const sent = Buffer.alloc(300_000, 7);
	const port = await listen((socket) => socket.end(sent));
	const { scheduler, pace, network } = setUp();
	let received = 0;
	scheduler.after(0, () => {
		const socket = network.connect("127.0.0.1", port);
		socket.handler = {
			writable() {},
			readable(bytes) {
				scheduler.after(1, () => {
					const into = new Uint8Array(bytes);
					if (socket.read(into)) received += bytes;
				});
			},
			failed: () => socket.close(),
		};
	});
	await pace.run();
	assert.equal(received, sent.length);
});

test("a device's listener accepts connections from this machine", async () => {
	const scheduler = new Scheduler(START);
	const pace = new Pace(scheduler, { speed: 1 });
	let resolve: (port: number) => void = () => {};
	const ready = new Promise<number>((listening) => {
		resolve = listening;
	});
	const network = new RealNetwork(scheduler, pace, { listenPort: 0, listening: (port) => resolve(port) });
	const listener = network.listen(1883, () => {
		const socket = listener.accept()!;
		socket.handler = {
			writable() {},
			readable(bytes) {
				const into = new Uint8Array(bytes);
				socket.read(into);
				socket.write(into);
				socket.close();
			},
			failed: () => socket.close(),
		};
	});
	assert.equal(listener.port, 1883);
	const running = pace.run();
	const port = await ready;
	assert.equal(listener.port, port);
	const answer = await new Promise<string>((resolve, reject) => {
		let text = "";
		const client = net.connect(port, "127.0.0.1", () => client.write("hello"));
		client.on("data", (data) => {
			text += data;
		});
		client.on("end", () => resolve(text));
		client.on("error", reject);
	});
	assert.equal(answer, "hello");
	pace.stop();
	await running;
	network.dispose();
});

test("a board that was reset listens on the ports of the machine that it had before, with the same numbers", async () => {
	const scheduler = new Scheduler(START);
	const pace = new Pace(scheduler, { speed: 1 });
	const opened: (readonly [number: number, port: number])[] = [];
	await new Promise<void>((resolve) => {
		const network: RealNetwork = new RealNetwork(scheduler, pace, {
			listenPort: 0,
			listening(port, number) {
				opened.push([number, port]);
				if (opened.length === 2) {
					network.reset();
					network.listen(1883, () => {});
					network.listen(8080, () => {});
				}
				if (opened.length < 4) return;
				network.dispose();
				resolve();
			},
		});
		network.listen(1883, () => {});
		network.listen(8080, () => {});
	});
	const [first, second] = [opened.slice(0, 2), opened.slice(2)].map((each) => new Map(each));
	assert.equal(first!.size, 2);
	assert.deepEqual(second, first);
});
