import assert from "node:assert/strict";
import { test } from "node:test";
import type { TCP, TCPConstructor, TCPOptions } from "../../src/device";
import { loadModule } from "./module-loader";

async function load(fails: boolean) {
	const calls: string[] = [];
	class SDKTCP {
		constructor(options: TCPOptions) {
			calls.push(options.from ? "takes over" : "connects");
			if (fails) throw new Error("invalid from");
		}
	}
	const { ChipTCP } = await loadModule<{ ChipTCP: TCPConstructor }>("firmware/esp32/sockets", {
		modules: { "embedded:io/socket/tcp": { default: SDKTCP } },
		natives: {
			xs_firefly_network_hold: () => calls.push("hold"),
			xs_firefly_network_release: () => calls.push("release"),
			xs_firefly_network_acknowledge_soon: () => calls.push("acknowledges soon"),
		},
	});
	return { ChipTCP, calls };
}

const donor = {} as TCP;

test("an accepted connection is taken over while lwIP stands still", async () => {
	const { ChipTCP, calls } = await load(false);
	new ChipTCP({ from: donor });
	assert.deepEqual(calls, ["hold", "takes over", "release"]);
});

test("taking over fails: lwIP goes on, and the error is passed on", async () => {
	const { ChipTCP, calls } = await load(true);
	assert.throws(() => new ChipTCP({ from: donor }), /invalid from/);
	assert.deepEqual(calls, ["hold", "takes over", "release"]);
});

test("an own connection: lwIP is not held, and acknowledges soon", async () => {
	const { ChipTCP, calls } = await load(false);
	new ChipTCP({ address: "192.168.1.10", port: 1883 });
	assert.deepEqual(calls, ["connects", "acknowledges soon"]);
});
