import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Host } from "../../firmware/host";
import type { TCPOptions } from "../../src/device";
import { FakeUDP } from "./fake-udp";
import { loadModule } from "./module-loader";

/** An answer to a query for an address: 192.0.2.9. */
function localAnswer(query: Uint8Array): Uint8Array {
	const answer = [...query, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 9];
	answer[2] = 0x84;
	answer[7] = 1;
	return Uint8Array.from(answer);
}

interface FakeTimer {
	readonly callback: (id: object) => void;
	readonly delay: number;
	readonly repeat: number | undefined;
}

interface Screen {
	onMessage?: (message: string) => void;
	postMessage(message: string): void;
}

const globals = globalThis as unknown as { screen?: Screen };

afterEach(() => {
	delete globals.screen;
});

interface StageOptions {
	/** Without one, mcsim's own panel is there, which sends nothing. */
	readonly panel?: boolean;
	readonly portIsFree?: boolean;
	/** Whether somebody answers queries of Multicast DNS. */
	readonly answersLocally?: boolean;
	/** Whether an earlier start in the same process has heard of the panel. */
	readonly panelIsKnown?: boolean;
}

/** The desktop host with a fake SDK, and a panel whose messages the test sends. */
async function stage({
	panel = true,
	portIsFree = true,
	panelIsKnown = false,
	answersLocally = false,
}: StageOptions = {}) {
	let isKnown = panelIsKnown;
	const timers = new Set<FakeTimer>();
	const sockets = new Set<{ readonly options: TCPOptions }>();
	const lookUps: ((name: string, address?: string) => void)[] = [];
	const posted: object[] = [];
	const traced: string[] = [];
	const memory = new ArrayBuffer(7168);
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
		readonly options: TCPOptions;
		constructor(options: TCPOptions) {
			this.options = options;
			sockets.add(this);
		}
		close(): void {
			sockets.delete(this);
		}
	}
	const asked: { readonly bytes: Uint8Array; readonly address: string; readonly port: number }[] = [];
	class Datagrams extends FakeUDP {
		protected override readonly port = 5353;
		override write(bytes: Uint8Array, address: string, port: number): void {
			asked.push({ bytes: bytes.slice(), address, port });
			if (answersLocally) this.receive(localAnswer(bytes));
		}
	}
	globals.screen = { postMessage: (message) => posted.push(JSON.parse(message) as object) };
	const { default: host } = await loadModule<{ default: Host }>("firmware/desktop/host", {
		modules: {
			timer: { default: Timer },
			net: {
				default: {
					get: () => "192.0.2.7",
					resolve: (name: string, callback: (name: string, address?: string) => void) => {
						lookUps.push(callback);
						if (/^[\d.]+$/.test(name)) lookUps.pop()!(name, name);
					},
				},
			},
			"embedded:io/socket/tcp": { default: Socket },
			"embedded:io/socket/listener": { default: Socket },
			"embedded:io/socket/udp": { default: Datagrams },
			"firmware/settings": { template: { role: "sensor" } },
			file: { File: class {}, Directory: {} },
		},
		natives: {
			xs_firefly_ignore_broken_pipes: () => {},
			xs_firefly_open_board: () => ({}),
			xs_firefly_board_memory: () => memory,
			xs_firefly_board_number: () => 2,
			xs_firefly_state_folder: () => "/state/",
			xs_firefly_host_name: () => "desk",
			xs_firefly_project: () => "greenhouse",
			xs_firefly_port_is_free: () => portIsFree,
			xs_firefly_panel_is_known: () => isKnown,
			xs_firefly_remember_panel: () => {
				isKnown = true;
			},
		},
		trace: (...text) => traced.push(text.join("").trimEnd()),
	});
	/** Runs every timer that is due within `ms`. */
	const pass = (ms: number): void => {
		for (const timer of [...timers]) {
			if (timer.delay > ms || !timers.has(timer)) continue;
			if (!timer.repeat) timers.delete(timer);
			timer.callback(timer);
		}
	};
	const send = (message: object): void => globals.screen!.onMessage!(JSON.stringify(message));
	const boot = (reason = "power-on", controls: object = {}): void => {
		host.boot(() => {});
		if (panel) send({ boot: reason, controls: { wifi: true, broker: true, readings: {}, ...controls } });
		else pass(1000);
	};
	const isPanelKnown = (): boolean => isKnown;
	return {
		isPanelKnown,
		host,
		timers,
		sockets,
		lookUps,
		asked,
		posted,
		traced,
		memory: new Uint8Array(memory),
		pass,
		send,
		boot,
	};
}

test("the firmware starts once the panel has said why", async () => {
	const { host, send, pass } = await stage();
	const reasons: string[] = [];
	host.boot(() => reasons.push(host.sleep().reason));
	assert.deepEqual(reasons, []);
	send({ boot: "crash", controls: { wifi: true, broker: true, readings: {} } });
	pass(1000);
	assert.deepEqual(reasons, ["crash"]);
});

test("the panel is late: a start after sleep waits for it, and keeps retained memory", async () => {
	const first = await stage();
	first.boot();
	const { host, memory, send, pass } = await stage({ panelIsKnown: first.isPanelKnown() });
	memory.fill(7);
	const reasons: string[] = [];
	host.boot(() => reasons.push(host.sleep().reason));
	pass(59_000);
	assert.deepEqual(reasons, []);
	send({ boot: "deep-sleep", controls: { wifi: true, broker: true, readings: {} } });
	assert.deepEqual(reasons, ["deep-sleep"]);
	assert.ok(host.retained().every((byte) => byte === 7));
});

for (const [reason, kept] of [
	["power-on", false],
	["brown-out", false],
	["reset", true],
	["crash", true],
	["deep-sleep", true],
] as const)
	test(`${reason}: retained memory is ${kept ? "kept" : "noise"}`, async () => {
		const { host, memory, boot } = await stage();
		memory.fill(7);
		boot(reason);
		assert.equal(host.retained().length, memory.length);
		assert.equal(
			memory.every((byte) => byte === 7),
			kept,
		);
	});

test("deep sleep is left to the panel, once and after the current turn", async () => {
	const { host, posted, pass, boot, traced } = await stage();
	boot();
	host.sleep().deep(500);
	host.sleep().deep(900);
	assert.deepEqual(posted, []);
	pass(0);
	assert.deepEqual(posted, [{ sleep: 500 }]);
	assert.deepEqual(traced, ["firefly: asleep for 500 ms"]);
});

test("wake by pin: the panel is told the pins, and tells the one that has ended the sleep", async () => {
	const { host, posted, pass, send } = await stage();
	const pins: (number | undefined)[] = [];
	host.boot(() => pins.push(host.sleep().wakePin));
	send({ boot: "deep-sleep", pin: 4, controls: { wifi: true, broker: true, readings: {} } });
	assert.deepEqual(pins, [4]);
	host.sleep().wakeOn?.(4, 0, "up");
	host.sleep().wakeOn?.(5, 1, "none");
	host.sleep().deep(500);
	pass(0);
	const wakePins = [
		{ pin: 4, level: 0, pull: "up" },
		{ pin: 5, level: 1, pull: "none" },
	];
	assert.deepEqual(posted, [{ sleep: 500, wakePins }]);
});

test("deep sleep waits for the end of a look-up, which would call into a machine that is gone", async () => {
	const { host, posted, pass, boot, lookUps } = await stage();
	boot();
	const found: (string | undefined)[] = [];
	host.resolve("broker.example", (_, address) => found.push(address));
	host.sleep().deep(500);
	pass(0);
	assert.deepEqual(posted, [{ resolving: true }]);
	lookUps[0]!("broker.example", "192.0.2.1");
	assert.deepEqual(posted.slice(1), [{ resolving: false }, { sleep: 500 }]);
	assert.deepEqual(found, ["192.0.2.1"]);
});

test("another panel: the firmware starts all the same, and says that nothing will wake it", async () => {
	const { host, posted, traced, pass, boot } = await stage({ panel: false });
	boot();
	assert.equal(host.sleep().reason, "power-on");
	host.sleep().deep(60_000);
	pass(0);
	assert.deepEqual(posted, []);
	assert.match(traced.join("\n"), /asleep for 60 s\nfirefly: nothing wakes it/);
});

test("each computer, project, role and instance has its own MAC and folder", async () => {
	const { host, boot } = await stage();
	boot();
	assert.match(host.mac(), /^0200[0-9a-f]{8}$/);
});

test("a crash that the panel asks for is an exception that nobody catches", async () => {
	const { boot, send } = await stage();
	boot();
	assert.throws(() => send({ crash: true }));
});

test("the broker is unreachable: connections to it are cut and refused, those of clients stay", async () => {
	const { host, boot, send, sockets, pass } = await stage();
	boot();
	const ended: string[] = [];
	new host.tcp({ address: "192.0.2.1", port: 1883, onError: () => ended.push("opened before") });
	const donor = new host.tcp({});
	const accepted = new host.tcp({ from: donor, onError: () => ended.push("accepted") });
	send({ controls: { wifi: true, broker: false, readings: {} } });
	assert.deepEqual(ended, ["opened before"]);
	new host.tcp({ address: "192.0.2.1", port: 1883, onError: () => ended.push("opened later") });
	pass(20);
	assert.deepEqual(ended, ["opened before", "opened later"]);
	send({ controls: { wifi: false, broker: true, readings: {} } });
	assert.deepEqual(ended, ["opened before", "opened later", "accepted"]);
	accepted.close();
	assert.equal(sockets.size, 0);
});

test("a socket that was closed reports no error afterwards", async () => {
	const { host, boot, send, sockets } = await stage();
	boot();
	const socket = new host.tcp({ address: "192.0.2.1", port: 1883, onError: () => assert.fail() });
	socket.close();
	socket.close();
	send({ controls: { wifi: false, broker: false, readings: {} } });
	assert.equal(sockets.size, 0);
	assert.equal(socket.write(Uint8Array.of(1)), undefined);
});

test("Wi-Fi joins if the panel has it on, and tells when it goes", async () => {
	const { host, boot, send, pass } = await stage();
	boot();
	const messages: string[] = [];
	new host.wifi!({ ssid: "net" }, (message) => messages.push(message));
	pass(50);
	assert.deepEqual(messages, ["connect", "gotIP"]);
	send({ controls: { wifi: false, broker: true, readings: {} } });
	send({ controls: { wifi: false, broker: true, readings: {} } });
	assert.deepEqual(messages, ["connect", "gotIP", "disconnect"]);
});

test("Wi-Fi off: joining fails, and no name is found", async () => {
	const { host, boot, pass } = await stage();
	boot("power-on", { wifi: false });
	const messages: string[] = [];
	const station = new host.wifi!({ ssid: "net" }, (message) => messages.push(message));
	pass(50);
	assert.equal(messages.length, 0);
	pass(2500);
	assert.deepEqual(messages, ["disconnect"]);
	station.close();
	host.resolve("broker.example", (_, address) => messages.push(String(address)));
	assert.deepEqual(messages, ["disconnect", "undefined"]);
});

test("a port that is in use is named, and the SDK's listener is not asked", async () => {
	const { host, boot, sockets } = await stage({ portIsFree: false });
	boot();
	assert.throws(() => new host.listener({ port: 1883 }), /port 1883 is in use by another program/);
	assert.equal(sockets.size, 0);
	new host.listener({ port: 0 });
	assert.equal(sockets.size, 1);
});

test("the computer does not know a local name: the network is asked, four times in seven seconds", async () => {
	const { host, boot, lookUps, asked } = await stage({ answersLocally: true });
	boot();
	const found: (string | undefined)[] = [];
	host.resolve("firefly.local", (_, address) => found.push(address));
	lookUps.pop()!("firefly.local");
	assert.deepEqual(found, ["192.0.2.9"]);
	assert.deepEqual(
		asked.map(({ address, port }) => [address, port]),
		[["224.0.0.251", 5353]],
	);
	const silent = await stage();
	silent.boot();
	const missing: (string | undefined)[] = [];
	silent.host.resolve("firefly.local", (_, address) => missing.push(address));
	silent.lookUps.pop()!("firefly.local");
	for (let i = 0; i < 7; i++) silent.pass(1000);
	assert.equal(silent.asked.length, 4);
	silent.host.resolve("firefly..local", (_, address) => missing.push(address));
	silent.lookUps.pop()!("firefly..local");
	assert.deepEqual(missing, [undefined, undefined]);
});

test("localhost resolves to an IPv4 address", async () => {
	const { host, boot } = await stage();
	boot();
	const found: (string | undefined)[] = [];
	host.resolve("localhost", (_, address) => found.push(address));
	host.resolve("192.0.2.1", (_, address) => found.push(address));
	assert.deepEqual(found, ["127.0.0.1", "192.0.2.1"]);
});

const SETTINGS = {
	id: "greenhouse",
	role: "sensor",
	sensors: [{ name: "temperature", property: ["thermometer", "temperature"], driver: "virtual" }],
	broker: { host: "192.0.2.1", port: 1883 },
} as unknown as Parameters<NonNullable<Host["monitor"]>["onStart"]>[0];

for (const [reason, line] of [
	["power-on", /^firefly [\d.]+: greenhouse, role sensor, .*1883$/],
	["crash", /^firefly [\d.]+: greenhouse, .*1883, started by crash$/],
	["deep-sleep", /^firefly: awake$/],
] as const)
	test(`${reason}: the console says who starts, and why, but not at each wake`, async () => {
		const { host, boot, traced } = await stage();
		boot(reason);
		host.monitor!.onStart(SETTINGS);
		assert.equal(traced.length, 1);
		assert.match(traced[0]!, line);
	});

test("start, reports and sleep are printed, each in a line", async () => {
	const { host, boot, traced, posted } = await stage();
	boot();
	const { monitor } = host;
	monitor!.onStart(SETTINGS);
	monitor!.event("wake", 1, 2, 0);
	monitor!.event("accepted", 2, 2);
	monitor!.event("acknowledged", 1, 1, 0);
	monitor!.event("sample", 0, Number.NaN);
	monitor!.event("dropped", 2, 1, 0);
	host.sleep().deep(12_340);
	assert.match(
		traced[0]!,
		/^firefly [\d.]+: greenhouse, role sensor, MAC \w+, 1 sensor, reports to mqtt:\/\/192\.0\.2\.1:1883$/,
	);
	assert.deepEqual(traced.slice(1), [
		"firefly: report 1 acknowledged, 1 waiting",
		"firefly: a report was dropped, 1 waiting",
		"firefly: asleep for 12.3 s, 1 report waiting",
	]);
	assert.deepEqual(posted.slice(-2), [{ event: ["sample", 0, null] }, { event: ["dropped", 2, 1, 0] }]);
});

for (const [users, anonymous, warning] of [
	[0, true, "firefly: warning: the broker has no users: whoever is on the network may connect"],
	[0, false, "firefly: warning: the broker has no users: nobody may connect"],
	[1, false, undefined],
] as const)
	test(`a broker with ${users} users, ${anonymous ? "" : "not "}anonymous: ports and warning are printed`, async () => {
		const { host, boot, traced, posted, pass } = await stage();
		boot();
		const listen = { users: Array.from({ length: users }), anonymous, connections: 8 };
		const monitor = host.monitor!;
		monitor.onStart({ id: "pond", role: "broker", sensors: [], broker: {}, listen } as unknown as Parameters<
			typeof monitor.onStart
		>[0]);
		const bytes = new TextEncoder().encode("node" + "t21.5\0");
		monitor.onBroker({
			port: 1883,
			webSocketPort: 8080,
			usage: { connections: 1 },
			forEachClient: (callback: (bytes: Uint8Array, start: number, end: number) => void) =>
				callback(bytes, 0, 4),
			forEachValue: (callback: (...values: unknown[]) => void) => {
				callback(bytes, 4, 5, 5, 9, 1000, true);
				callback(bytes, 4, 5, 5, 10, 2000, false);
			},
		} as unknown as Parameters<typeof monitor.onBroker>[0]);
		assert.deepEqual(traced.slice(1), [
			"firefly: the broker listens on mqtt://192.0.2.7:1883 and ws://192.0.2.7:8080",
			...(warning === undefined ? [] : [warning]),
		]);
		const count = posted.length;
		pass(1000);
		assert.equal(posted.length, count + 1, "the panel is told again");
		const { broker } = posted.at(-1) as { broker: Record<string, unknown> & { pools: object[] } };
		assert.deepEqual(
			[broker.urls, broker.clients, broker.clientCount, broker.valueCount],
			[["mqtt://192.0.2.7:1883", "ws://192.0.2.7:8080"], ["node"], 1, 2],
		);
		assert.deepEqual(broker.values, [
			{ topic: "t", payload: "21.5", time: 1000, retained: true },
			{ topic: "t", payload: "5 bytes", time: 2000, retained: false },
		]);
		assert.deepEqual(broker.pools[0], { name: "connections", used: 1, size: 8 });
	});
