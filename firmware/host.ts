import type {
	ListenerConstructor,
	Sleep,
	StorageModule,
	TCPConstructor,
	Timer,
	WiFiConstructor,
} from "../src/device";

/**
 * What differs from one platform to the next. The module `firmware/platform/host` exports one; the manifest
 * says which.
 */
export interface Host {
	/** The chip's name. */
	chip(): string;
	/** 12 lower-case hexadecimal digits. */
	mac(): string;
	readonly tcp: TCPConstructor;
	readonly listener: ListenerConstructor;
	readonly timer: Timer;
	/** Absent: always on a network. */
	readonly wifi?: WiFiConstructor;
	/** Calls back with an IP address, or with undefined; throws when too many look-ups are under way. */
	resolve(name: string, callback: (name: string, address?: string) => void): void;
	/** Whether the clock is ours to set. */
	readonly setsClock: boolean;
	/** What survives loss of power. */
	readonly storage: StorageModule;
	sleep(): Sleep;
	/** Memory that survives sleep and reset. */
	retained(): Uint8Array;
	/** Calls `run` now, and again at each wake-up of a host that only plays at sleeping. */
	boot(run: () => void): void;
}
