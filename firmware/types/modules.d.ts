/** Modules that the firmware imports from its platform, limited to the members it uses. */

declare module "mc/config" {
	/** The manifest's `config` and the command line's strings, deep-frozen. */
	const config: unknown;
	export default config;
}

declare module "embedded:io/socket/tcp" {
	const TCP: import("../../src/device").TCPConstructor;
	export default TCP;
}

declare module "embedded:io/socket/udp" {
	const UDP: import("../time-request").UDPConstructor;
	export default UDP;
}

declare module "embedded:io/socket/listener" {
	const Listener: import("../../src/device").ListenerConstructor;
	export default Listener;
}

/** In the broker's library. */
declare module "firefly/counted-listener" {
	export const CountedListener: typeof import("../listener").CountedListener;
}

declare module "embedded:network/mqtt/client" {
	const MQTTClient: typeof import("../ecma419/mqtt-client").default;
	export default MQTTClient;
}

/** Has no exports: creates the global `device`. */
declare module "system" {}

declare module "embedded:storage/key-value" {
	const storage: import("../../src/device").StorageModule;
	export default storage;
}

/** Desktop computers only. */
declare module "file" {
	export class File {
		/**
		 * @param write creates the file if it does not exist, and writes from its start
		 * @throws if it cannot be opened
		 */
		constructor(path: string, write: boolean);
		/** Bytes. */
		readonly length: number;
		/** The rest of the file; throws if nothing is left. */
		read(type: ArrayBufferConstructor): ArrayBuffer;
		write(bytes: ArrayBuffer): void;
		close(): void;
		static exists(path: string): boolean;
		/** False if it does not exist. */
		static delete(path: string): boolean;
		/** @param name in the same folder; a file of that name is replaced */
		static rename(path: string, name: string): boolean;
	}
	export const Directory: {
		/** Does nothing if it exists. @throws if it cannot be created */
		create(path: string): void;
	};
}

declare module "embedded:io/analog" {
	export default class Analog {
		constructor(options: {
			readonly pin: number;
			readonly esp32?: { readonly attenuation?: number; readonly calibrated?: boolean };
		});
		/** Bits of a reading. */
		readonly resolution: number;
		/** 0 … 2^resolution − 1. */
		read(): number;
	}
}

declare module "embedded:io/digital" {
	export default class Digital {
		static readonly Input: number;
		static readonly InputPullUp: number;
		static readonly InputPullDown: number;
		constructor(options: { readonly pin: number; readonly mode: number });
		/** Level, 0 or 1. */
		read(): number;
		close(): void;
	}
}

declare module "embedded:provider/builtin" {
	/** The target's buses and pins. */
	const device: {
		readonly I2C?: {
			readonly default?: {
				readonly data?: number;
				readonly clock?: number;
				/** A number, or a text that the SDK takes for 0. */
				readonly port?: number;
			};
		};
		readonly io: { readonly SMBus?: unknown; readonly Analog?: unknown };
	};
	export default device;
}

declare module "onewire" {
	/** The SDK's 1-Wire bus. What fails on the line is not reported but by `reset`. */
	export default class OneWire {
		constructor(options: { readonly pin: number });
		/** Whether a device has answered. */
		reset(): boolean;
		/** Writes a byte. */
		write(byte: number): void;
		/** Reads a byte. */
		read(): number;
		close(): void;
	}
}

declare module "timer" {
	const Timer: import("../../src/device").Timer & {
		/** Blocks for that many ms. */
		delay(ms: number): void;
	};
	export default Timer;
}

declare module "time" {
	const Time: import("../../src/device").Time & {
		/** @param seconds since 1970 */
		set(seconds: number): void;
	};
	export default Time;
}

declare module "modules" {
	/** The modules in the build. */
	const Modules: {
		has(specifier: string): boolean;
		/** The module's default export. */
		importNow(specifier: string): unknown;
	};
	export default Modules;
}

declare module "net" {
	const Net: {
		/** @param property "IP": the first address of this computer that is not a loopback, if it has one */
		get(property: "IP"): string | undefined;
		/**
		 * Calls back with an IP address, or with undefined; may call back before it returns; throws if too many
		 * look-ups are pending.
		 */
		resolve(host: string, callback: (host: string, address?: string) => void): void;
	};
	export default Net;
}

declare module "wifi" {
	const WiFi: import("../../src/device").WiFiConstructor & {
		/** Leaves the access point. */
		disconnect(): void;
	};
	export default WiFi;
}

declare module "firmware/platform/host" {
	const host: import("../host").Host;
	export default host;
}

/** Desktop computers only. */
declare module "firmware/platform/readings" {
	export function panelReading(property: string): number | undefined;
	export function announceSimulation(driver: string): void;
}

declare module "Resource" {
	/** A file of the image, by name; throws if there is none. */
	export default class Resource {
		constructor(name: string);
		readonly byteLength: number;
	}
}

declare module "crypt" {
	export class Digest {
		constructor(algorithm: "SHA256");
		/** Takes views too. */
		write(data: ArrayBuffer): void;
		close(): ArrayBuffer;
	}
}
