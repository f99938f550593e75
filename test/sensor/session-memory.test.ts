import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../src/config/types";
import type { Device } from "../../src/device";
import { TLS_SESSION_BYTES } from "../../src/retained-memory";
import { deviceWithout, keepsSession, sessionMemory } from "../../src/sensor/network/session-memory";
import { settings } from "./support/test-board";

function device(reason: Device["sleep"]["reason"]): Device {
	return { retained: new Uint8Array(1024).fill(9), sleep: { reason } } as unknown as Device;
}

test("after deep sleep the end of retained memory is as it was; after any reset it is empty", () => {
	for (const reason of ["deep-sleep", "power-on", "reset", "brown-out", "crash", "watchdog"] as const) {
		const board = device(reason);
		const memory = sessionMemory(board)!;
		assert.equal(memory.length, TLS_SESSION_BYTES);
		const value = reason === "deep-sleep" ? 9 : 0;
		assert.ok(memory.every((byte) => byte === value));
		memory.fill(1);
		const rest = deviceWithout(board, memory).retained;
		assert.equal(rest.length, 1024 - TLS_SESSION_BYTES);
		assert.ok(rest.every((byte) => byte === 9));
		assert.equal(board.retained.lastIndexOf(1), 1023);
	}
});

test("retained memory that is smaller than a session: it has none", () => {
	const retained = new Uint8Array(TLS_SESSION_BYTES - 1).fill(9);
	assert.equal(sessionMemory({ retained, sleep: device("reset").sleep }), undefined);
	assert.ok(retained.every((byte) => byte === 9));
});

test("only a sensor that sleeps deeply and reaches its broker by TLS keeps a session in retained memory", () => {
	const keeps = (extra: object): boolean =>
		keepsSession({ ...settings({}), role: "sensor", ...extra } as Settings);
	const sleep = { ...settings({}).sleep, mode: "deep" };
	const { broker } = settings({});
	for (const [transport, kept] of [
		[undefined, false],
		["ws", false],
		["mqtts", true],
		["wss", true],
	] as const) {
		assert.equal(keeps({ sleep, broker: { ...broker, transport } }), kept, transport);
		assert.ok(!keeps({ sleep: { ...sleep, mode: "none" }, broker: { ...broker, transport } }));
		assert.ok(!keeps({ role: "both", sleep, broker: { ...broker, transport } }));
	}
});
