import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../../firmware/host";
import { loadModule } from "./module-loader";

interface FakeTimer {
	readonly callback: (id: object) => void;
	readonly delay: number;
	readonly repeat: number | undefined;
}

/** The mcsim host with fakes that record open resources. */
async function start() {
	const timers = new Set<FakeTimer>();
	const sockets = new Set<object>();
	const Timer = {
		set(callback: (id: object) => void, delay: number, repeat?: number) {
			const timer = { callback, delay, repeat };
			timers.add(timer);
			return timer;
		},
		schedule() {},
		clear(id: FakeTimer) {
			timers.delete(id);
		},
	};
	class Socket {
		constructor() {
			sockets.add(this);
		}
		close(): void {
			sockets.delete(this);
		}
	}
	const { default: host } = await loadModule<{ default: Host }>("firmware/lin/host", {
		modules: {
			timer: { default: Timer },
			net: {
				default: {
					resolve: (name: string, callback: (name: string, address?: string) => void) => callback(name, name),
				},
			},
			"embedded:io/socket/tcp": { default: Socket },
			"embedded:io/socket/listener": { default: Socket },
			"mc/config": { default: { file: { root: "/nowhere/" } } },
			file: { File: class {}, Directory: {} },
		},
		natives: { xs_firefly_ignore_broken_pipes: () => {} },
	});
	/** Runs every timer that is due within `ms`. */
	const pass = (ms: number): void => {
		for (const timer of [...timers]) {
			if (timer.delay > ms || !timers.has(timer)) continue;
			if (!timer.repeat) timers.delete(timer);
			timer.callback(timer);
		}
	};
	return { host, timers, sockets, pass };
}

test("deep sleep closes everything, keeps retained memory, and restarts the firmware", async () => {
	const { host, timers, sockets, pass } = await start();
	const reasons: string[] = [];
	host.boot(() => {
		const { reason, deep } = host.sleep();
		reasons.push(reason);
		const memory = host.retained();
		memory[0] = memory[0]! + 1;
		new host.tcp({});
		new host.listener({ port: 0 });
		host.timer.set(() => assert.fail("a run that is over must stay so"), 10, 10);
		host.timer.set(() => {}, 5);
		deep(500);
		deep(900);
	});
	assert.equal(sockets.size, 2);
	pass(0);
	assert.equal(sockets.size, 0);
	assert.deepEqual(
		[...timers].map(({ delay }) => delay),
		[500],
	);
	pass(500);
	assert.deepEqual(reasons, ["power-on", "deep-sleep"]);
	assert.equal(host.retained()[0], 2);
});

test("a socket that is closed twice is closed once", async () => {
	const { host, sockets } = await start();
	const socket = new host.tcp({});
	socket.close();
	assert.equal(sockets.size, 0);
	host.sleep().deep(1);
});

test("localhost resolves to an IPv4 address", async () => {
	const { host } = await start();
	const found: (string | undefined)[] = [];
	host.resolve("localhost", (_, address) => found.push(address));
	host.resolve("192.0.2.1", (_, address) => found.push(address));
	assert.deepEqual(found, ["127.0.0.1", "192.0.2.1"]);
});
