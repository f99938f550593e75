import type { Broker } from "../src/broker/broker";
import type { Settings } from "../src/config/settings";
import type { Device } from "../src/device";

/** Told about the firmware's progress, on a host that displays it. */
export interface Monitor {
	/** The configuration is read; the roles start next. */
	onStart(settings: Settings): void;
	/** The broker accepts connections. */
	onBroker(broker: Broker): void;
	readonly event: NonNullable<Device["event"]>;
}
