/** Why the firmware starts: the reasons of src/device.ts that the panel can cause. */
export type WakeReason = "power-on" | "deep-sleep" | "reset" | "brown-out" | "crash";

/** What lights the lamp. */
export type Phase = "off" | "awake" | "asleep" | "crashed";

export interface SensorInfo {
	readonly name: string;
	/** Such as `thermometer.temperature`. */
	readonly property: string;
	readonly unit: string;
	readonly driver: string;
	readonly decimals: number;
}

export interface StartInfo {
	readonly version: string;
	readonly id: string;
	readonly role: "sensor" | "broker" | "both";
	readonly mac: string;
	/** Host and port; empty for the role `broker`. */
	readonly broker: string;
	readonly sensors: readonly SensorInfo[];
}

export interface BrokerInfo {
	readonly urls: readonly string[];
	readonly clients: readonly string[];
	readonly clientCount: number;
	readonly values: readonly {
		readonly topic: string;
		readonly payload: string;
		/** ms since 1970. */
		readonly time: number;
		readonly retained: boolean;
	}[];
	readonly valueCount: number;
	readonly pools: readonly { readonly name: string; readonly used: number; readonly size: number }[];
}

/** A pin that ends a sleep when it has this level. */
export interface WakePin {
	readonly pin: number;
	readonly level: number;
	/** What the level is while the contact at the pin is open. */
	readonly pull: "none" | "up" | "down";
}

/** From firmware/desktop. */
export interface FirmwareMessage {
	readonly start?: StartInfo;
	/** Name and arguments of an event of `Device.event`; null stands for NaN. */
	readonly event?: readonly [name: string, ...values: (number | string | boolean | null | undefined)[]];
	/** Deep sleep begins, ms. */
	readonly sleep?: number;
	/** Pins that end this sleep. */
	readonly wakePins?: readonly WakePin[];
	/** Whether a name is being resolved: the application must not end meanwhile. */
	readonly resolving?: boolean;
	readonly broker?: BrokerInfo;
}

/** To firmware/desktop. */
export interface PanelMessage {
	readonly boot?: WakeReason;
	/** GPIO that has ended a sleep. */
	readonly pin?: number;
	readonly controls?: Controls;
	readonly crash?: true;
}

export interface Controls {
	readonly wifi: boolean;
	readonly broker: boolean;
	readonly readings: Readonly<Record<string, number>>;
}

export interface BoardState {
	phase: Phase;
	reason: WakeReason;
	/** GPIO that has ended the last sleep. */
	wakePin: number | undefined;
	/** Pins that end the present sleep. */
	wakePins: readonly WakePin[];
	bootedAt: number;
	/** End of the sleep. */
	wakeAt: number;
	/** Starts since power-on. */
	wakes: number;
	start: StartInfo | undefined;
	/** Reports in the outbox. */
	waiting: number;
	/** Reports acknowledged since power-on. */
	reports: number;
	lastReport: { readonly sequence: number; readonly at: number } | undefined;
	/** The last failed try, until a report is acknowledged. */
	failure: { readonly fault: string; readonly reasonCode: number } | undefined;
	/** Failed tries in a row. */
	failures: number;
	/** Last sample of each property. */
	readonly readings: Record<string, number>;
	resolving: boolean;
	broker: BrokerInfo | undefined;
	/** What ended the application. */
	crash: string;
}

/** What the panel shows of a board. */
export interface BoardText {
	readonly phase: Phase;
	readonly title: string;
	/** An empty name continues the row above; an empty row separates. */
	readonly rows: readonly (readonly [name: string, value: string])[];
}
