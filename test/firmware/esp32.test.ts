import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LIGHT_SLEEP_MODULE } from "../../cli/config/light-sleep";
import { UPDATE_MODULE } from "../../cli/config/update";
import type { Sleep } from "../../src/device";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { root } from "./import-graph";
import { loadModule } from "./module-loader";

const NO_MODULES = { default: { has: () => false } };

for (const [code, reason] of [
	[0, "power-on"],
	[1, "power-on"],
	[2, "reset"],
	[3, "crash"],
	[4, "crash"],
	[5, "watchdog"],
	[6, "watchdog"],
	[7, "watchdog"],
	[8, "deep-sleep"],
	[9, "brown-out"],
	[13, "power-on"],
	[15, "crash"],
] as const) {
	test(`reset reason ${code} of the ESP-IDF is ${reason}`, async () => {
		const slept: number[] = [];
		const { sleep } = await loadModule<{ sleep(): Sleep }>("firmware/esp32/sleep", {
			modules: { modules: NO_MODULES },
			natives: {
				xs_firefly_reset_reason: () => code,
				xs_firefly_wake_pin: () => -1,
				xs_firefly_deep_sleep: (ms: number) => slept.push(ms),
			},
		});
		const { reason: found, wakePin, deep } = sleep();
		assert.equal(found, reason);
		assert.equal(wakePin, undefined);
		deep(1000);
		assert.deepEqual(slept, [1000]);
	});
}

test("wake by pin: the pin that has ended the sleep is told, and pins are set with level and resistor", async () => {
	const set: number[][] = [];
	const { sleep } = await loadModule<{ sleep(): Sleep }>("firmware/esp32/sleep", {
		modules: { modules: NO_MODULES },
		natives: {
			xs_firefly_reset_reason: () => 8,
			xs_firefly_wake_pin: () => 0,
			xs_firefly_wake_on: (...args: number[]) => set.push(args),
		},
	});
	const found = sleep();
	assert.equal(found.wakePin, 0);
	for (const [level, pull] of [
		[0, "none"],
		[1, "up"],
		[1, "down"],
	] as const)
		found.wakeOn?.(4, level, pull);
	assert.deepEqual(set, [
		[4, 0, 0],
		[4, 1, 1],
		[4, 1, 2],
	]);
	const c = readFileSync(join(root, "firmware/esp32/sleep.c"), "utf8");
	for (const [index, name] of ["NONE", "UP", "DOWN"].entries())
		assert.match(c, new RegExp(`^#define PULL_${name} ${index}$`, "m"));
});

test("light sleep: the module of its manifest starts it; without it there is an error that names the manifest", async () => {
	let starts = 0;
	const { default: start } = await loadModule<{ default: () => void }>("firmware/light-sleep/light-sleep", {
		modules: {},
		natives: { xs_firefly_light_sleep: () => void starts++ },
	});
	for (const included of [true, false]) {
		const { sleep } = await loadModule<{ sleep(): Sleep }>("firmware/esp32/sleep", {
			modules: {
				modules: {
					default: {
						has: (name: string) => included && name === LIGHT_SLEEP_MODULE,
						importNow: () => start,
					},
				},
			},
			natives: { xs_firefly_reset_reason: () => 1, xs_firefly_wake_pin: () => -1 },
		});
		const begin = (): void => sleep().light?.();
		if (included) begin();
		else assert.throws(begin, /the image lacks firmware\/light-sleep\/manifest\.json/);
	}
	assert.equal(starts, 1);
	const { platforms } = JSON.parse(
		readFileSync(join(root, "firmware/light-sleep/manifest.json"), "utf8"),
	) as {
		platforms: { esp32: { modules: Record<string, string>; preload: string[] } };
	};
	assert.deepEqual(platforms.esp32, {
		modules: { [LIGHT_SLEEP_MODULE]: "./light-sleep" },
		preload: [LIGHT_SLEEP_MODULE],
	});
	assert.match(
		readFileSync(join(root, "firmware/light-sleep/light-sleep.c"), "utf8"),
		/^void xs_firefly_light_sleep\(xsMachine \*the\)$/m,
	);
});

test("a reset by software on trial of a new image is its first start, and no crash", async () => {
	for (const isOnTrial of [true, false]) {
		const { sleep } = await loadModule<{ sleep(): Sleep }>("firmware/esp32/sleep", {
			modules: {
				modules: {
					default: {
						has: (name: string) => name === UPDATE_MODULE,
						importNow: () => ({ isOnTrial }),
					},
				},
			},
			natives: { xs_firefly_reset_reason: () => 3, xs_firefly_wake_pin: () => -1 },
		});
		assert.equal(sleep().reason, isOnTrial ? "reset" : "crash");
	}
});

for (const platform of ["esp32", "desktop", "update"]) {
	const folder = join(root, "firmware", platform);

	test(`${platform}: each native function has its C function in the file beside it`, () => {
		let natives = 0;
		for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
			const names = [...readFileSync(join(folder, file), "utf8").matchAll(/native\("(\w+)"\)/g)].map(
				([, name]) => name!,
			);
			if (names.length === 0) continue;
			const c = readFileSync(join(folder, file.replace(/ts$/, "c")), "utf8");
			for (const name of names) assert.match(c, new RegExp(`^void ${name}\\(xsMachine \\*the\\)$`, "m"));
			natives += names.length;
		}
		assert.ok(natives > 0);
	});
}

test("retained memory: the C file, sized by the manifest, has what the firmware takes", () => {
	const { defines } = JSON.parse(readFileSync(join(root, "firmware/manifest.json"), "utf8")) as {
		defines: { firefly: { retained: number } };
	};
	assert.equal(defines.firefly.retained, RETAINED_BYTES);
});
