import Timer from "timer";
import type { Timer as TimerShape, WakeReason } from "../../src/device";
import { panelIsKnown, rememberPanel } from "./panel-presence";

/** What mcsim's panel sets. */
export interface Controls {
	/** Whether the access point is there. */
	readonly wifi: boolean;
	/** Whether the broker can be reached. */
	readonly broker: boolean;
	/** Readings that the panel's sliders hold, by property; others follow the daily curve. */
	readonly readings: Readonly<Record<string, number>>;
}

/** From the panel (sim/mcsim): once at boot, then whenever something changes. */
interface PanelMessage {
	readonly boot?: WakeReason;
	/** GPIO that has ended a sleep. */
	readonly pin?: number;
	readonly controls?: Controls;
	/** The firmware is to end with an exception. */
	readonly crash?: boolean;
}

/** mcsim's global object `screen`, the way to the panel. */
interface Screen {
	onMessage?: (message: string) => void;
	postMessage(message: string): void;
}

/** Wait, in ms, for the panel's first message; another panel than Firefly's sends none. */
const PANEL_TIMEOUT_MS = 1000;
/**
 * The same once the panel is known: on a busy computer it may be late, and a start without it would be one
 * that loses retained memory.
 */
const KNOWN_PANEL_TIMEOUT_MS = 60_000;

const SDKTimer = Timer as unknown as TimerShape;

const DEFAULTS: Controls = Object.freeze({ wifi: true, broker: true, readings: Object.freeze({}) });

let controls = DEFAULTS;
let present = false;
let coldStart = true;
let onChange: (() => void) | undefined;

export function panelControls(): Controls {
	return controls;
}

/** Whether Firefly's panel is there, which restarts the firmware after sleep and reset. */
export function hasPanel(): boolean {
	return present;
}

/** Whether this start follows something else than sleep. */
export function isColdStart(): boolean {
	return coldStart;
}

export function postToPanel(message: object): void {
	if (present) panelScreen()?.postMessage(JSON.stringify(message));
}

/** @param changed called when a control of the panel has changed */
export function watchPanel(changed: () => void): void {
	onChange = changed;
}

/**
 * Waits for the panel, which says why the firmware starts.
 * @param start called once; `pin`: GPIO that has ended a sleep
 */
export function connectPanel(start: (reason: WakeReason, pin: number | undefined) => void): void {
	const screen = panelScreen();
	let begin: typeof start | undefined = start;
	const beginOnce = (reason: WakeReason, pin?: number): void => {
		const callback = begin;
		begin = undefined;
		callback?.(reason, pin);
	};
	if (screen)
		screen.onMessage = (text) => {
			const message = JSON.parse(text) as PanelMessage;
			if (message.controls) {
				controls = message.controls;
				onChange?.();
			}
			if (message.boot) {
				present = true;
				rememberPanel();
				coldStart = message.boot !== "deep-sleep";
				beginOnce(message.boot, message.pin);
			}
			if (message.crash) throw new Error("the panel asked for a crash");
		};
	SDKTimer.set(() => beginOnce("power-on"), panelIsKnown() ? KNOWN_PANEL_TIMEOUT_MS : PANEL_TIMEOUT_MS);
}

function panelScreen(): Screen | undefined {
	return (globalThis as unknown as { screen?: Screen }).screen;
}
