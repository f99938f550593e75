// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import Timer from "timer";
import type { Timer as TimerShape } from "../../src/device";
import type { Host } from "../host";
import { FirmwareRun } from "./firmware-run";
import { ignoreBrokenPipes } from "./pipes";
import { storage } from "./storage";

/** A locally administered address: mcsim has no radio that provides one. */
const MAC = "020000000001";
const RETAINED_SIZE = 7168;

const SDKTimer = Timer as unknown as TimerShape;

/*
 * mcsim emulates the chip. The start of the application is power-on, and retained memory is an array; deep
 * sleep closes everything that the run opened, and starts the firmware again when it ends. State is created
 * at run time, as objects of a preloaded module are read-only.
 */
let memory: Uint8Array | undefined;
let current: FirmwareRun | undefined;
let runFirmware: (() => void) | undefined;

function currentRun(): FirmwareRun {
	current ??= new FirmwareRun("power-on", deepSleep);
	return current;
}

function deepSleep(ms: number): void {
	const ending = current;
	if (!ending || ending.sleeping) return;
	ending.sleeping = true;
	SDKTimer.set(() => ending.end(), 0);
	SDKTimer.set(
		() => {
			current = new FirmwareRun("deep-sleep", deepSleep);
			runFirmware?.();
		},
		Math.max(ms, 1),
	);
}

const host: Host = {
	chip: () => "mcsim",
	mac: () => MAC,
	get tcp() {
		return currentRun().tcp;
	},
	get listener() {
		return currentRun().listener;
	},
	get timer() {
		return currentRun().timer;
	},
	// The SDK's resolver on Linux returns the first address only, which for this name is an IPv6 one.
	resolve: (name, callback) => Net.resolve(name === "localhost" ? "127.0.0.1" : name, callback),
	storage,
	sleep: () => currentRun().sleep,
	retained() {
		memory ??= new Uint8Array(RETAINED_SIZE);
		return memory;
	},
	boot(firmware) {
		ignoreBrokenPipes();
		runFirmware = firmware;
		firmware();
	},
};

export default Object.freeze(host);
