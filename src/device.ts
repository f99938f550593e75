/**
 * The port between the portable core and a host. Members are ECMA-419 classes (`tcp.io`, `listener.io`) or
 * shaped like the Moddable SDK's modules (`timer`, `time`, `wifi.io`). The ESP32, mcsim, the XS simulator and
 * Node each provide one.
 */

/** An ECMA-419 TCP socket (ECMA-419 §9.2, byte-stream in "buffer" format). */
export interface TCP {
	/**
	 * Fills `buffer` completely with received bytes and returns their count; asking for more than is there
	 * throws.
	 */
	read(buffer: Uint8Array): number | undefined;
	/**
	 * Queues all of `buffer`, or throws when it is longer than the room last told by `onWritable` or returned
	 * here. Returns the room left, in bytes; undefined where the host lost the connection.
	 */
	write(buffer: Uint8Array): number | undefined;
	/** Idempotent. No callback follows. */
	close(): void;
	/**
	 * The peer's IP address, where the host tells it. Read it once, as soon as the connection is taken over: on
	 * lwIP asking after the peer has reset the connection is not safe.
	 */
	readonly remoteAddress?: string | undefined;
}

export interface TCPOptions {
	/** An IP address; names are resolved with {@link Device.resolve}. */
	address?: string;
	port?: number;
	/** Disables Nagle's algorithm. */
	nodelay?: boolean;
	/** Takes over the connection of a socket that a listener returned; the donor is closed. */
	from?: TCP;
	/** Bytes ready to read, all of them. */
	onReadable?(bytes: number): void;
	/** Bytes that may be written now; the first call means that the connection is up. */
	onWritable?(bytes: number): void;
	/** The connection ended or failed; carries no detail. The socket must still be closed. */
	onError?(): void;
}

export interface TCPConstructor {
	new (options: TCPOptions): TCP;
}

/** An ECMA-419 TCP listener. */
export interface Listener {
	/** The port in use, also when 0 was asked for. */
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

/** Opaque timer identifier. */
export type TimerId = object | number;

/**
 * The SDK's `timer` module. A timer whose repeat is 0 is spent after its callback on some hosts, so every
 * timer that is ever rescheduled is created with a nonzero repeat.
 */
export interface Timer {
	/** @param delay ms until the first call @param repeat ms between later calls, 0 for one-shot */
	set(callback: (id: TimerId) => void, delay: number, repeat?: number): TimerId;
	/** Moves a timer; without `delay` it stops until scheduled again. */
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
	ssid: string;
	password?: string;
	/** Access point address, 6 bytes, for a fast join. */
	bssid?: ArrayBuffer;
	channel?: number;
}

/**
 * Station mode in the shape of the SDK's `wifi` module. Messages: "connect", "gotIP", "lostIP", "disconnect".
 */
export interface WiFi {
	close(): void;
}

export interface WiFiConstructor {
	new (options: WiFiOptions, callback: (message: string, detail?: number | string) => void): WiFi;
}

/** Why the firmware runs. */
export type WakeReason = "power-on" | "deep-sleep" | "reset" | "brown-out" | "crash";

export interface Sleep {
	readonly reason: WakeReason;
	/**
	 * Ends this run: the chip sleeps and boots again after `ms` (1 … 2^31 − 1). Pending socket output is given
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
	 * Fills the begin of `buffer` with the value of a key and returns its length, bytes; undefined if there is
	 * none.
	 * @throws {RangeError} when the value is longer
	 */
	read(key: string, buffer: Uint8Array): number | undefined;
	/**
	 * @throws when there is no room, or the medium fails; then the key may have its old value, a part of the
	 *   new one, or none
	 */
	write(key: string, value: Uint8Array): void;
	/** Does nothing if there is no such key. */
	delete(key: string): void;
	close(): void;
	/**
	 * Makes lasting what was written, deleted or renamed before. Absent where each call does so by itself. Not
	 * part of ECMA-419.
	 */
	sync?(): void;
}

/** The SDK's `embedded:storage/key-value`. */
export interface StorageModule {
	/**
	 * @param options `path`: a name of 1 to 15 characters; keys of one path are not those of another
	 * @throws where it cannot be opened
	 */
	open(options: { readonly path: string; readonly format?: "buffer" }): Storage;
}

/**
 * What happened, for a host that keeps count (the simulator); numbers only, so that reporting allocates
 * nothing.
 */
export type EventName =
	| "wake"
	| "sample"
	| "filtered"
	| "accepted"
	| "join"
	| "joined"
	| "open"
	| "opened"
	| "publish"
	| "acknowledged"
	| "dropped"
	| "closed"
	| "failed"
	| "limit"
	| "sleep"
	| "delivered"
	| "retained";

export interface Device {
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	/** The chip's name: "esp32", "esp32c3", "simulator" … */
	readonly chip: string;
	readonly tcp: { readonly io: TCPConstructor };
	readonly listener?: { readonly io: ListenerConstructor };
	readonly timer: Timer;
	readonly time: Time;
	/** Absent where the host is always on a network. */
	readonly wifi?: { readonly io: WiFiConstructor };
	readonly sleep: Sleep;
	/**
	 * Memory that survives deep sleep and reset, not power loss; contents are arbitrary after power-on. Writes
	 * go through at once.
	 */
	readonly retained: Uint8Array;
	/** Whether `Date.now()` is wall time: something set it since power came on. */
	readonly clockIsSet: boolean;
	/** Memory that survives loss of power. Absent where the host has none. */
	readonly storage?: StorageModule;
	/** Name to IP address, undefined if it cannot be resolved. An address resolves to itself. */
	resolve(host: string, callback: (address: string | undefined) => void): void;
	/** Asks an SNTP server and sets the clock; `true` when it did. Absent where the host keeps the clock. */
	setClock?(server: string, callback: (set: boolean) => void): void;
	/** The driver of that name that the build includes. */
	driver(name: string): SensorConstructor | undefined;
	/** What goes to the host's console. */
	trace(message: string): void;
	/** Present on hosts that keep count. Meaning of the numbers: src/sensor/events.ts. */
	event?(name: EventName, a?: number, b?: number, c?: number): void;
}
