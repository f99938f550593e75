import Timer from "timer";
import type { Broker } from "../../src/broker/broker";
import type { SensorSettings, Settings } from "../../src/config/settings";
import type { Timer as TimerShape, WakeReason } from "../../src/device";
import type { DeviceEvent } from "../../src/device-events";
import { VERSION } from "../../src/version";
import type { Monitor } from "../monitor";
import { viewBroker } from "./broker-view";
import { postToPanel } from "./panel";

const SDKTimer = Timer as unknown as TimerShape;

/** Interval, in ms, at which the panel is told of the broker's state. */
const BROKER_VIEW_MS = 1000;

/** Prints what the firmware does, and shows it on the panel. */
export class ConsoleMonitor implements Monitor {
	readonly #mac: string;
	readonly #reason: WakeReason;
	/** Of this computer, undefined without a network. */
	readonly #address: string | undefined;
	#settings: Settings | undefined;
	/** Reports in the outbox; undefined: the node has not started. */
	#waiting: number | undefined;
	readonly event: Monitor["event"];

	constructor(mac: string, reason: WakeReason, address: string | undefined) {
		this.#mac = mac;
		this.#reason = reason;
		this.#address = address;
		this.event = (...event) => {
			this.#onEvent(event);
			postToPanel({ event });
		};
	}

	onStart(settings: Settings): void {
		const { id, role, broker, sensors } = settings;
		this.#settings = settings;
		const reason = this.#reason;
		if (reason === "deep-sleep") print("firefly: awake");
		else {
			const parts = [`firefly ${VERSION}: ${id}`, `role ${role}`, `MAC ${this.#mac}`];
			if (role !== "broker") parts.push(sensorText(sensors), `reports to ${brokerURL(settings)}`);
			if (reason !== "power-on") parts.push(`started by ${reason}`);
			print(parts.join(", "));
		}
		postToPanel({
			start: {
				version: VERSION,
				id,
				role,
				mac: this.#mac,
				broker: role === "broker" ? "" : `${broker.host}:${broker.port}`,
				sensors: sensors.map(({ name, property, unit = "", driver, decimals }) => ({
					name,
					property: property.join("."),
					unit,
					driver,
					decimals: decimals ?? (driver === "digital" ? 0 : 2),
				})),
			},
		});
	}

	onBroker(broker: Broker): void {
		const { listen } = this.#settings!;
		const host = this.#address ?? "127.0.0.1";
		const urls = [`mqtt://${host}:${broker.port}`];
		if (broker.webSocketPort !== 0) urls.push(`ws://${host}:${broker.webSocketPort}`);
		print(`firefly: the broker listens on ${urls.join(" and ")}`);
		if (listen.users.length === 0) {
			const result = listen.anonymous ? "whoever is on the network may connect" : "nobody may connect";
			print(`firefly: warning: the broker has no users: ${result}`);
		}
		const show = (): void => postToPanel({ broker: { urls, ...viewBroker(broker, listen) } });
		show();
		SDKTimer.set(show, BROKER_VIEW_MS, BROKER_VIEW_MS);
	}

	/** The firmware orders deep sleep. */
	onSleep(ms: number): void {
		const waiting = this.#waiting === undefined ? "" : `, ${reportsText(this.#waiting)} waiting`;
		print(`firefly: asleep for ${secondsText(ms)}${waiting}`);
	}

	#onEvent(event: DeviceEvent): void {
		switch (event[0]) {
			case "wake":
				[, this.#waiting] = event;
				return;
			case "accepted":
				[, , this.#waiting] = event;
				return;
			case "acknowledged": {
				const [, sequence, waiting] = event;
				this.#waiting = waiting;
				print(`firefly: report ${sequence} acknowledged, ${waiting} waiting`);
				return;
			}
			case "command": {
				const [, name, accepted] = event;
				print(
					name === "restored"
						? "firefly: the settings before are restored"
						: `firefly: command ${name} ${accepted ? "executed" : "refused"}`,
				);
				return;
			}
			case "update": {
				const [, phase] = event;
				print(`firefly: update ${phase}`);
				return;
			}
			case "dropped":
				[, , this.#waiting] = event;
				print(`firefly: a report was dropped, ${this.#waiting} waiting`);
		}
	}
}

function brokerURL({ broker }: Settings): string {
	const { host, port, transport = "mqtt", path = "" } = broker;
	return host === "" ? "nowhere: broker.url is missing" : `${transport}://${host}:${port}${path}`;
}

function sensorText(sensors: readonly SensorSettings[]): string {
	return `${sensors.length} ${sensors.length === 1 ? "sensor" : "sensors"}`;
}

function reportsText(count: number): string {
	return `${count} ${count === 1 ? "report" : "reports"}`;
}

function secondsText(ms: number): string {
	return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}

function print(line: string): void {
	trace(line, "\n");
}
