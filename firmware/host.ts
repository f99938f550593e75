import type {
	ListenerConstructor,
	Sleep,
	StorageModule,
	TCPConstructor,
	Timer,
	UDPConstructor,
	WiFiConstructor,
} from "../src/device";
import type { Monitor } from "./monitor";
import type { HostClock } from "./time-request";

/**
 * The platform-dependent part of the firmware. The module `firmware/platform/host` exports one instance; the
 * manifest selects it.
 */
export interface Host {
	/** The chip's name. */
	chip(): string;
	/** 12 lower-case hexadecimal digits. */
	mac(): string;
	readonly tcp: TCPConstructor;
	readonly listener: ListenerConstructor;
	/** UDP sockets that can receive multicast, for what the build includes of it; absent: there are none. */
	readonly udp?: UDPConstructor;
	readonly timer: Timer;
	/** Absent: always on a network. */
	readonly wifi?: WiFiConstructor;
	/** Calls back with an IP address, or with undefined; throws if too many look-ups are pending. */
	resolve(name: string, callback: (name: string, address?: string) => void): void;
	/** Absent: the host maintains the clock. */
	readonly clock?: HostClock;
	/** Storage that survives power loss. */
	readonly storage: StorageModule;
	sleep(): Sleep;
	/** Memory that survives sleep and reset. */
	retained(): Uint8Array;
	/** See `Device.checksum`. */
	checksum?(this: void, words: Uint32Array): number;
	/** Absent: nobody watches. */
	readonly monitor?: Monitor;
	/** Calls `run` once: now, or as soon as the reason of this start is known. */
	boot(run: () => unknown): unknown;
}
