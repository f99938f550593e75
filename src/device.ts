import type { DeviceEvent } from "./device-events";
import type { ConnectionFailure } from "./fault";

/**
 * Interface between the portable core and its host. Members are ECMA-419 classes (`tcp.io`, `listener.io`) or
 * have the shape of the Moddable SDK's modules (`timer`, `time`, `wifi.io`). The ESP32, mcsim, the XS
 * simulator and Node each provide one.
 */

/** An ECMA-419 TCP socket (ECMA-419 §9.2, byte-stream in "buffer" format). */
export interface TCP {
	/**
	 * Fills `buffer` completely with received bytes and returns their count; throws if fewer bytes are
	 * available.
	 */
	read(buffer: Uint8Array): number | undefined;
	/**
	 * Queues all of `buffer`; throws if it is longer than the room last reported by `onWritable` or returned
	 * here. Returns the room left, in bytes; undefined if the host lost the connection.
	 */
	write(buffer: Uint8Array): number | undefined;
	/** Idempotent. No callback follows. */
	close(): void;
	/**
	 * The peer's IP address, if the host provides it. Read it once, as soon as the connection is taken over: on
	 * lwIP, reading it after the peer has reset the connection is not safe.
	 */
	readonly remoteAddress?: string | undefined;
}

export interface TCPOptions {
	/** An IP address; names are resolved with {@link Device.resolve}. */
	address?: string;
	/** The name that was resolved, for sockets that check it (TLS). */
	host?: string;
	port?: number;
	/** Disables Nagle's algorithm. */
	nodelay?: boolean;
	/** Takes over the connection of a socket that a listener returned; the donor is closed. */
	from?: TCP;
	/** The socket's property of this name, for its callbacks; see {@link TCPConstructor.hasTarget}. */
	target?: unknown;
	/** `bytes` is the total number of bytes ready to read. */
	onReadable?(bytes: number): void;
	/** `bytes` may be written now; the first call means that the connection is established. */
	onWritable?(bytes: number): void;
	/**
	 * The connection ended or failed. The socket must still be closed.
	 * @param failure the reason; absent where the socket does not know it, as ECMA-419's do not
	 */
	onError?(failure?: ConnectionFailure): void;
}

export interface TCPConstructor {
	new (options: TCPOptions): TCP;
	/**
	 * Its sockets have the option `target` of ECMA-419 as a property, and are `this` in their callbacks, which
	 * may then be functions in flash instead of closures. Absent: not known, as of a class that wraps another.
	 */
	readonly hasTarget?: boolean;
}

/** An ECMA-419 TCP listener. */
export interface Listener {
	/** The port in use, also if port 0 was requested. */
	readonly port: number;
	/** The next accepted connection, without callbacks: attach them with `new TCP({ from })`. */
	read(): TCP | undefined;
	close(): void;
}

export interface ListenerOptions {
	port: number;
	/** Connections waiting to be accepted. */
	onReadable?(count: number): void;
}

export interface ListenerConstructor {
	new (options: ListenerOptions): Listener;
}

/** A received datagram: its bytes and where it came from. */
export type Datagram = ArrayBuffer & { readonly address: string; readonly port: number };

/** An ECMA-419 UDP socket (ECMA-419 §9.5), limited to the members that are used. */
export interface UDP {
	/** undefined: no datagram is waiting. */
	read(): Datagram | undefined;
	/** @param address an IP address @throws if the network is down */
	write(bytes: Uint8Array, address: string, port: number): void;
	/** Joins a multicast group. Not part of ECMA-419; absent if the host has no multicast. */
	add?(group: string): void;
	close(): void;
}

export interface UDPOptions {
	/** Absent: the host chooses one. */
	port?: number;
	/** Of what is sent, 1 to 255; hosts may have their own for multicast. Not part of ECMA-419. */
	timeToLive?: number;
	/** Datagrams are waiting. */
	onReadable(count: number): void;
}

export interface UDPConstructor {
	/** @throws if the port is in use */
	new (options: UDPOptions): UDP;
}

/** Opaque timer identifier. */
export type TimerId = object | number;

/**
 * The SDK's `timer` module. On some hosts a timer whose repeat is 0 cannot be rescheduled after its callback,
 * so every timer that is ever rescheduled is created with a nonzero repeat.
 */
export interface Timer {
	/** @param delay ms until the first call @param repeat ms between later calls, 0 for one-shot */
	set(callback: (id: TimerId) => void, delay: number, repeat?: number): TimerId;
	/** Reschedules a timer; without `delay` it stops until scheduled again. */
	schedule(id: TimerId, delay?: number, repeat?: number): void;
	clear(id: TimerId | undefined): void;
}

/** The SDK's `time` module. Wall time is `Date.now()`. */
export interface Time {
	/** Monotonic milliseconds; may wrap: compare only with `delta`. */
	readonly ticks: number;
	/** Milliseconds from `start` to `end` (default: now), safe across a wrap. */
	delta(start: number, end?: number): number;
}

export interface WiFiOptions {
	readonly ssid: string;
	readonly password?: string;
	/** "accessPoint": opens the network instead of joining it; "gotIP" means that stations may join. */
	readonly mode?: "join" | "accessPoint";
	/** Channel of an own access point, 1 … 13. */
	readonly channel?: number;
}

/**
 * Offsets in {@link WiFiLink}. Addresses are IPv4, as they are on the wire; a channel or an address of zeros
 * is absent.
 */
export const LINK_BSSID = 0;
export const LINK_CHANNEL = 6;
export const LINK_ADDRESS = 8;
export const LINK_MASK = 12;
export const LINK_GATEWAY = 16;
export const LINK_DNS = 20;
/** Duration of the DHCP lease in s, 4 bytes, little endian; zeros: unknown, or the address is not leased. */
export const LINK_LEASE = 24;
export const LINK_SIZE = 28;

/**
 * Access point and address of a connection, as bytes, so that a join and retained memory can share them
 * without allocating.
 */
export type WiFiLink = Uint8Array;

/**
 * A station's join, from construction to `close`. Messages: "connect"; "gotIP", with the signal strength in
 * dBm if the host knows it; "lostIP"; "disconnect", with the host's reason. After "disconnect" nothing
 * follows: the caller decides whether to join again.
 */
export interface WiFi {
	/** Writes access point and address of the connection; absent if the host does not know them. */
	readLink?(link: WiFiLink): void;
	/** No callback follows. */
	close(): void;
}

export interface WiFiConstructor {
	/**
	 * @param link access point and address to use: with a channel only this access point is tried, without a
	 *   scan of all channels; with an address DHCP is skipped. A host without {@link WiFi.readLink} joins in
	 *   its own way.
	 */
	new (
		options: WiFiOptions,
		callback: (message: string, detail?: number | string) => void,
		link?: WiFiLink,
	): WiFi;
}

/** Reason for the current boot. "watchdog": the firmware did not return from a turn in time. */
export type WakeReason = "power-on" | "deep-sleep" | "reset" | "brown-out" | "crash" | "watchdog";

/** The chip's own resistor at a pin. */
export type Pull = "none" | "up" | "down";

export interface Sleep {
	readonly reason: WakeReason;
	/** GPIO whose level ended the last deep sleep, one of them if there are several; absent: the timer did. */
	readonly wakePin?: number | undefined;
	/**
	 * The next deep sleep also ends when the pin has this level, at once if it has it already. Absent if the
	 * host has no pins.
	 * @param level 0 or 1
	 * @param pull resistor during the sleep
	 * @throws {RangeError} if the pin cannot wake the chip
	 */
	wakeOn?(pin: number, level: number, pull: Pull): void;
	/**
	 * From now on, until the next boot, the chip sleeps lightly whenever it has nothing to do. RAM, sockets,
	 * timers and the network stay; what arrives wakes it. Absent if the host has no such sleep.
	 * @throws {Error} if the build cannot
	 */
	light?(): void;
	/**
	 * Ends this run: the chip sleeps and boots again after `ms` (1 … 2^31 − 1). Pending socket output is passed
	 * to the radio first; code may still run until the current turn ends.
	 */
	deep(ms: number): void;
}

/**
 * A sensor driver in the ECMA-419 sensor class shape. `sample()` may return undefined, or leave a property
 * out, when the reading failed.
 */
export interface Sensor {
	configure(options: object): void;
	sample(): object | undefined;
	close(): void;
}

export interface SensorConstructor {
	new (options: object): Sensor;
}

/**
 * ECMA-419 key-value storage (§18) in "buffer" format. Keys are 1 to 15 characters, as ESP-IDF's NVS has it.
 */
export interface Storage {
	/**
	 * Copies the value of a key to the start of `buffer` and returns its length in bytes; undefined if there is
	 * no such key.
	 * @throws {RangeError} if the value is longer than `buffer`; any error if it cannot be read, or is damaged
	 */
	read(key: string, buffer: Uint8Array): number | undefined;
	/**
	 * @throws if there is no room, or the medium fails; then the key may have its old value, part of the new
	 *   one, or none
	 */
	write(key: string, value: Uint8Array): void;
	/** Does nothing if there is no such key. */
	delete(key: string): void;
	close(): void;
	/**
	 * Makes all earlier writes, deletions and renames durable. Absent if each call is durable by itself. Not
	 * part of ECMA-419.
	 */
	sync?(): void;
}

/** The SDK's `embedded:storage/key-value`. */
export interface StorageModule {
	/**
	 * @param options `path`: a name of 1 to 15 characters; each path has its own keys
	 * @throws if it cannot be opened
	 */
	open(options: { readonly path: string; readonly format?: "buffer" }): Storage;
}

/**
 * The places for an image of the firmware: two slots, of which one runs, and what the bootloader knows of
 * them. Facts are those of ESP-IDF's `esp_ota_ops.h` with rollback enabled.
 */
export interface ImageSlots {
	/** Bytes of the slot that does not run; 0: there is none. */
	readonly size: number;
	/** Number of the slot that runs, 0 or 1. */
	readonly running: number;
	/**
	 * The image that runs was activated, and is not confirmed: any reset but the end of deep sleep returns to
	 * the other one.
	 */
	readonly isOnTrial: boolean;
	/** The image in the other slot was activated, and was returned from. */
	readonly wasRejected: boolean;
	/** Begins an image in the other slot. @throws {Error} if that is not possible now */
	open(): ImageWriter;
	/** The image that runs is good. @throws {Error} if that cannot be recorded */
	confirm(): void;
	/**
	 * Ends this run: the chip starts anew with the image that was activated. Pending socket output is passed to
	 * the radio first.
	 */
	restart(): void;
	/**
	 * Ends this run: the chip starts anew with the image before, for ever.
	 * @throws {Error} if there is no good one
	 */
	rollBack(): void;
}

/** Writes an image from its start to its end. */
export interface ImageWriter {
	/** Appends bytes; flash is erased as it comes to it. @throws {Error} if there is no room, or flash fails */
	write(bytes: Uint8Array): void;
	/**
	 * Writes the SHA-256 of all bytes, once they are there. Absent where the host does not compute it faster.
	 * @param target 32 bytes
	 */
	digest?(target: Uint8Array): void;
	/**
	 * The image is complete: it is verified by its own checksum, and starts at the next reset, on trial.
	 * @throws {Error} if it is not valid, or flash fails
	 */
	activate(): void;
	/** Gives the image up, unless it was activated. Idempotent. */
	close(): void;
}

export interface Device {
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	/** The chip's name: "esp32", "esp32c3", "simulator" … */
	readonly chip: string;
	/** What else is in it are options of each socket, as in ECMA-419. */
	readonly tcp: { readonly io: TCPConstructor };
	readonly listener?: { readonly io: ListenerConstructor };
	/** Absent if the host has none, or nothing of this build needs one. */
	readonly udp?: { readonly io: UDPConstructor } | undefined;
	readonly timer: Timer;
	readonly time: Time;
	/** Absent if the host is always on a network. */
	readonly wifi?: { readonly io: WiFiConstructor };
	readonly sleep: Sleep;
	/**
	 * Memory that survives deep sleep and reset, not power loss; contents are arbitrary after power-on. Writes
	 * take effect at once.
	 */
	readonly retained: Uint8Array;
	/**
	 * The checksum of retained memory, as mix32() of sensor/retained/checksum.ts computes it, 0 … 2^32 − 1;
	 * absent: there is none but that.
	 * @param words a view of all of their buffer
	 */
	readonly checksum?: ((this: void, words: Uint32Array) => number) | undefined;
	/** Whether `Date.now()` is wall time, that is, whether the clock was set since power-on. */
	readonly clockIsSet: boolean;
	/** Memory that survives loss of power. Absent if the host has none. */
	readonly storage?: StorageModule;
	/** Absent if the host has none, or the image lacks firmware/update/manifest.json. */
	readonly imageSlots?: ImageSlots | undefined;
	/** Resolves a host name to an IP address, undefined on failure. An address resolves to itself. */
	resolve(host: string, callback: (address: string | undefined) => void): void;
	/**
	 * Queries an SNTP server and sets the clock; `set` is true on success. Absent if the host maintains the
	 * clock.
	 * @param before called just before the clock is set, with the time to come in ms since 1970
	 */
	setClock?(server: string, callback: (set: boolean) => void, before?: (timeMs: number) => void): void;
	/**
	 * The class of sockets that work over others, of a TLS or a WebSocket client. Its options are those of a
	 * TCP socket, `TCP` (the socket below: `io`, and its further options), and its own: for TLS `secure` (`tls`
	 * of the settings) and `kept` (bytes in which it keeps what a later connection may resume), for WebSocket
	 * see src/websocket/client/socket.ts. Undefined if the build does not include it; absent if the host has
	 * none.
	 */
	transport?(name: "tls" | "websocket"): TCPConstructor | undefined;
	/** The driver with this name; undefined if the build does not include it. */
	driver(name: string): SensorConstructor | undefined;
	/** Writes to the host's console. */
	trace(message: string): void;
	/** Present on hosts that count events. Nothing is allocated for a call. */
	event?(...event: DeviceEvent): void;
}
