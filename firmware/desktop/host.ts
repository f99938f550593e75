// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import Timer from "timer";
import type { Pull, Sleep, StorageModule, Timer as TimerShape, WakeReason } from "../../src/device";
import type { Host } from "../host";
import type { Monitor } from "../monitor";
import { template } from "../settings";
import { Board } from "./board";
import { ConsoleMonitor } from "./monitor";
import { connectPanel, hasPanel, postToPanel, watchPanel } from "./panel";
import { ignoreBrokenPipes } from "./pipes";
import { afterLookUps, resolve } from "./resolver";
import { PanelListener, PanelTCP, updateSockets } from "./sockets";
import { folderStorage } from "./storage";
import { PanelWiFi, updateWiFi } from "./wifi";

const SDKTimer = Timer as unknown as TimerShape;

interface WakePin {
	readonly pin: number;
	/** That it waits for. */
	readonly level: number;
	readonly pull: Pull;
}

/** What one run of the firmware uses; created at run time, as objects of a preloaded module are read-only. */
interface Run {
	readonly board: Board;
	readonly reason: WakeReason;
	/** GPIO that has ended a sleep. */
	readonly wakePin: number | undefined;
	/** Pins that end the next sleep. */
	readonly wakePins: WakePin[];
	readonly storage: StorageModule;
	readonly monitor: ConsoleMonitor;
	asleep: boolean;
}

let current: Run | undefined;

function run(): Run {
	if (current === undefined) throw new Error("the firmware has not started");
	return current;
}

/** The panel ends this machine, and starts the application anew when the sleep is over. */
function deepSleep(ms: number): void {
	const { monitor, asleep, wakePins } = run();
	if (asleep) return;
	run().asleep = true;
	monitor.onSleep(ms);
	// After the current turn, as code may still run that passes output on.
	SDKTimer.set(
		() => afterLookUps(() => postToPanel({ sleep: ms, ...(wakePins.length > 0 && { wakePins }) })),
		0,
	);
	if (!hasPanel())
		trace(
			"firefly: nothing wakes it: mcsim has not loaded the panel in sim/mcsim (File, Locate Simulators)\n",
		);
}

const host: Host = {
	chip: () => "mcsim",
	mac: () => run().board.mac,
	tcp: PanelTCP,
	listener: PanelListener,
	timer: SDKTimer,
	wifi: PanelWiFi,
	resolve,
	get storage() {
		return run().storage;
	},
	sleep(): Sleep {
		const { reason, wakePin, wakePins } = run();
		return {
			reason,
			wakePin,
			wakeOn: (pin, level, pull) => wakePins.push({ pin, level, pull }),
			deep: deepSleep,
		};
	},
	retained: () => run().board.retained,
	get monitor(): Monitor {
		return run().monitor;
	},
	boot(firmware) {
		ignoreBrokenPipes();
		watchPanel(() => {
			updateWiFi();
			updateSockets();
		});
		connectPanel((reason, wakePin) => {
			const board = new Board(template.role);
			if (reason === "power-on" || reason === "brown-out") board.losePower();
			current = {
				board,
				reason,
				wakePin,
				wakePins: [],
				storage: folderStorage(board.folder),
				monitor: new ConsoleMonitor(board.mac, reason, Net.get("IP")),
				asleep: false,
			};
			firmware();
		});
	},
};

export default Object.freeze(host);
