import assert from "node:assert/strict";
import { test } from "node:test";
import type { WakeReason } from "../../src/device";
import { loadModule } from "./module-loader";

interface BootOptions {
	readonly role?: "sensor" | "broker" | "both";
	readonly mode?: "deep" | "none";
	readonly reason?: WakeReason;
	readonly wifi?: boolean;
	readonly nodeThrows?: boolean;
	readonly problems?: readonly string[];
	/** Absent if the host keeps the clock. */
	readonly setClock?: () => void;
	readonly timeServer?: string;
	/** Whether the host announces an orderly stop. */
	readonly announcesStop?: boolean;
	/** The image's module of its roles. */
	readonly roles?: string;
	/** Whether the host is told of the progress. */
	readonly monitored?: boolean;
}

const ROLE_STUBS = {
	"firmware/broker-role": { startBroker: () => {}, stayOnNetwork: () => {} },
	"firmware/sensor-role": { startSensor: () => {} },
};

/** Runs `main` once and returns the recorded calls. */
async function boot(options: BootOptions) {
	const {
		role = "sensor",
		mode = "deep",
		reason = "power-on",
		wifi = true,
		nodeThrows = false,
		problems = [],
		setClock,
		timeServer,
	} = options;
	const done: string[] = [];
	let stop: (() => void) | undefined;
	const onStop = (callback: () => void): void => {
		stop = callback;
	};
	let notify: ((message: string) => void) | undefined;
	class WiFi {
		constructor(_: object, callback: (message: string) => void) {
			done.push("join");
			notify = callback;
		}
		close(): void {}
	}
	const device = {
		mac: "0123456789ab",
		chip: "test",
		...(wifi ? { wifi: { io: WiFi } } : {}),
		sleep: { reason, deep: (ms: number) => done.push(`sleep ${ms}`) },
		timer: {
			set: (callback: () => void, ms: number) => done.push(`timer ${ms}`) && callback,
			schedule() {},
			clear() {},
		},
		...(setClock ? { setClock } : {}),
		trace: (message: string) => done.push(`trace ${message}`),
	};
	const monitor = {
		onStart: (settings: { role: string }) => done.push(`monitor: start of ${settings.role}`),
		onBroker: () => done.push("monitor: broker"),
	};
	const { default: main } = await loadModule<{ default(): void }>("firmware/main", {
		modules: {
			"firmware/platform/host": {
				default: { boot: (run: () => void) => run(), ...(options.monitored ? { monitor } : {}) },
			},
			modules: {
				default: {
					has: (name: string) => options.announcesStop === true && name === "platform/stop",
					importNow: () => onStop,
				},
			},
			"firmware/device": { gatherDevice: () => device },
			"firmware/settings": {
				template: {
					id: "{mac}",
					topic: "t",
					role,
					sleep: { mode },
					wifi: { ssid: "net" },
					listen: {},
					broker: { clientId: "{id}" },
					time: { server: timeServer },
				},
				problems,
			},
			"src/broker/broker": {
				Broker: class {
					start(): void {
						done.push("broker");
					}
					stop(): void {
						done.push("broker stops");
					}
				},
			},
			"src/sensor/settings/derived-settings": { deriveSettings: () => ({}) },
			...(options.roles === undefined
				? {}
				: {
						"firmware/roles": await loadModule<Readonly<Record<string, unknown>>>(options.roles, {
							modules: ROLE_STUBS,
						}),
					}),
			"src/sensor/node": {
				SensorNode: class {
					#device: { wifi?: unknown };
					constructor(given: { wifi?: unknown }) {
						this.#device = given;
						if (nodeThrows) throw new Error("no such sensor");
					}
					start(): void {
						done.push(this.#device.wifi ? "node with wifi" : "node");
					}
				},
			},
		},
	});
	main();
	return { done, notify, stop: () => stop?.() };
}

test("a sensor starts at once and brings up Wi-Fi itself", async () => {
	assert.deepEqual((await boot({})).done, ["node with wifi"]);
});

for (const [reason, trace] of [
	["crash", "trace firefly: restarted after a crash"],
	["watchdog", "trace firefly: restarted after the watchdog expired"],
] as const)
	test(`after a restart by ${reason} a sensor says so and sleeps first: a fault at boot is no boot loop`, async () => {
		assert.deepEqual((await boot({ reason })).done, [trace, "sleep 60000"]);
		assert.deepEqual((await boot({ reason, mode: "none" })).done, [trace, "node with wifi"]);
	});

test("configuration problems are traced at every start", async () => {
	const problems = ["config.firefly.role: 7 is not a string", "another"];
	assert.deepEqual((await boot({ problems })).done, [
		...problems.map((problem) => `trace ${problem}`),
		"node with wifi",
	]);
});

test("a start that fails is traced and followed by sleep", async () => {
	assert.deepEqual((await boot({ nodeThrows: true })).done, [
		"trace firefly: cannot start: Error: no such sensor",
		"sleep 900000",
	]);
});

test("a broker waits for its network, and only the first address starts it", async () => {
	const { done, notify } = await boot({ role: "broker", mode: "none" });
	assert.deepEqual(done, ["join"]);
	notify?.("connect");
	notify?.("gotIP");
	notify?.("gotIP");
	assert.deepEqual(done, ["join", "broker"]);
});

test("in both roles the node uses the network that is up", async () => {
	const { done, notify } = await boot({ role: "both", mode: "none" });
	notify?.("gotIP");
	assert.deepEqual(done, ["join", "broker", "node"]);
});

test("without Wi-Fi a broker starts at once", async () => {
	assert.deepEqual((await boot({ role: "broker", wifi: false })).done, ["broker"]);
});

test("a broker sets the clock if host and settings allow; in both roles the node does", async () => {
	const setClock = (): void => {};
	const timeServer = "pool.example";
	const broker = { role: "broker", wifi: false, setClock, timeServer } as const;
	assert.deepEqual((await boot(broker)).done, ["broker", "timer 0"]);
	assert.deepEqual((await boot({ ...broker, role: "both" })).done, ["broker", "node"]);
	assert.deepEqual((await boot({ role: "broker", wifi: false, setClock })).done, ["broker"]);
	assert.deepEqual((await boot({ role: "broker", wifi: false, timeServer })).done, ["broker"]);
});

test("an orderly stop of the host stops the broker; a node has nothing to stop", async () => {
	const broker = await boot({ role: "both", wifi: false, announcesStop: true });
	broker.stop();
	assert.deepEqual(broker.done, ["broker", "node", "broker stops"]);
	const chip = await boot({ role: "broker", wifi: false });
	chip.stop();
	assert.deepEqual(chip.done, ["broker"]);
	const sensor = await boot({ announcesStop: true });
	sensor.stop();
	assert.deepEqual(sensor.done, ["node with wifi"]);
});

for (const [roles, lacking, having] of [
	["firmware/roles-sensor", ["broker", "both"], "sensor"],
	["firmware/roles-broker", ["sensor", "both"], "broker"],
] as const)
	test(`an image of ${roles} says what it lacks, and sleeps`, async () => {
		for (const role of lacking)
			assert.deepEqual((await boot({ role, roles, wifi: false })).done, [
				`trace firefly: cannot start: Error: this image lacks the role ${role}`,
				"sleep 900000",
			]);
		assert.deepEqual((await boot({ role: having, roles, wifi: false })).done, []);
	});
test("a host that watches is told of the start, and of a broker that serves", async () => {
	assert.deepEqual((await boot({ monitored: true })).done, ["monitor: start of sensor", "node with wifi"]);
	assert.deepEqual((await boot({ monitored: true, role: "broker", wifi: false })).done, [
		"monitor: start of broker",
		"broker",
		"monitor: broker",
	]);
});
