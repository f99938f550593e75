import host from "firmware/platform/host";
import Modules from "modules";
import Time from "time";
import type { Device, SensorConstructor, TCPConstructor } from "../src/device";
import { EARLIEST_SET_CLOCK_MS } from "./set-clock";
import { TimeRequest } from "./time-request";

const EVENT_MODULE = "platform/event";
// Of tls/manifest.json and websocket/manifest.json, if they are included
const TLS_MODULE = "firmware/tls/socket";
const WEBSOCKET_MODULE = "src/websocket/client/socket";
// Of update/manifest.json, if it is included
const SLOTS_MODULE = "firmware/update/image-slots";

class HostDevice implements Device {
	readonly mac = host.mac();
	readonly chip = host.chip();
	declare readonly wifi: NonNullable<Device["wifi"]>;
	readonly sleep = host.sleep();
	readonly retained = host.retained();
	declare setClock: NonNullable<Device["setClock"]>;
	declare event: NonNullable<Device["event"]>;

	constructor() {
		const WiFi = host.wifi;
		if (WiFi) this.wifi = { io: WiFi };
		if (host.clock) this.setClock = setClock;
		if (host.monitor) this.event = host.monitor.event;
		else if (Modules.has(EVENT_MODULE))
			this.event = Modules.importNow(EVENT_MODULE) as NonNullable<Device["event"]>;
	}

	get timer(): Device["timer"] {
		return host.timer;
	}

	get time(): Device["time"] {
		return Time;
	}

	get tcp(): Device["tcp"] {
		return { io: host.tcp };
	}

	get listener(): NonNullable<Device["listener"]> {
		return { io: host.listener };
	}

	get udp(): Device["udp"] {
		return host.udp && { io: host.udp };
	}

	get storage(): NonNullable<Device["storage"]> {
		return host.storage;
	}

	get imageSlots(): Device["imageSlots"] {
		return Modules.has(SLOTS_MODULE)
			? (Modules.importNow(SLOTS_MODULE) as NonNullable<Device["imageSlots"]>)
			: undefined;
	}

	get checksum(): Device["checksum"] {
		return host.checksum;
	}

	get clockIsSet(): boolean {
		return Date.now() >= EARLIEST_SET_CLOCK_MS;
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		try {
			host.resolve(name, (_, address) => callback(address));
		} catch {
			host.timer.set(() => callback(undefined), 0);
		}
	}

	transport(name: "tls" | "websocket"): TCPConstructor | undefined {
		const specifier = name === "tls" ? TLS_MODULE : WEBSOCKET_MODULE;
		return Modules.has(specifier) ? (Modules.importNow(specifier) as TCPConstructor) : undefined;
	}

	driver(name: string): SensorConstructor | undefined {
		const specifier = `driver/${name}`;
		return Modules.has(specifier) ? (Modules.importNow(specifier) as SensorConstructor) : undefined;
	}

	trace(message: string): void {
		trace(message, "\n");
	}
}

/** Sets the clock to the millisecond. */
function setClock(
	this: HostDevice,
	server: string,
	callback: (set: boolean) => void,
	before?: (timeMs: number) => void,
): void {
	if (host.clock !== undefined) new TimeRequest(this, host.clock, server, callback, before);
}

/** Combines the platform's parts into one {@link Device}. Calls native functions: at run time only. */
export function gatherDevice(): Device {
	return new HostDevice();
}
