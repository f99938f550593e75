import type { WakeReason } from "../../src/device";
import type { CommandEventName, UpdatePhase } from "../../src/device-events";
import type { Fault } from "../../src/fault";
import type { ReasonCode } from "../../src/mqtt/constants";
import type { TracedPacket } from "../capture/traced-packet";

/**
 * An event of a simulation; events arrive in the order of `time`. They depend only on manifest, seed and
 * replay file, not on wall-clock time, ports or process ids, so that two runs (without an external broker)
 * print the same bytes.
 */
export type TimedEvent = { readonly time: Milliseconds; readonly node: string } & SimulationEvent;

/** Simulated time, milliseconds since 1970-01-01T00:00Z. */
export type Milliseconds = number;

export interface SensorDescription {
	readonly name: string;
	readonly unit?: string;
	readonly decimals?: number;
}

/** Steps on the way to the broker: those of a join, and the look-up of the broker's name. */
export type RadioStep = "start" | "scan" | "probe" | "association" | "dhcp" | "dns";

export type SimulationEvent =
	/** Once for each node, before its first boot. `alwaysOn`: it does not sleep between reports. */
	| {
			readonly type: "node";
			readonly role: "sensor" | "broker";
			readonly sensors: readonly SensorDescription[];
			readonly alwaysOn?: boolean;
	  }
	/** The chip starts: power came on, or the sleep is over. `pin`: GPIO that has ended it, if one has. */
	| { readonly type: "boot"; readonly reason: WakeReason; readonly pin?: number }
	/**
	 * The firmware begins to run. `accepted`, `dropped`: reports since power-on, as retained memory has them,
	 * which counts also what happened just before a crash or a reset.
	 */
	| {
			readonly type: "wake";
			readonly reason: WakeReason;
			readonly waiting?: number;
			readonly accepted?: number;
			readonly dropped?: number;
	  }
	/** From now on, until the next boot, the chip sleeps lightly whenever it has nothing to do. */
	| { readonly type: "lightSleep" }
	/** A value, of one sample or several. `value` undefined: the reading failed. */
	| { readonly type: "sample"; readonly sensor: string; readonly value: number | undefined }
	/** One of several samples of a value, which `sample` follows. */
	| { readonly type: "gathered"; readonly sensor: string; readonly value: number | undefined }
	/** A sample that deadband and heartbeat held back. */
	| { readonly type: "filtered"; readonly sensor: string }
	/**
	 * The outbox accepted one report. `waiting`, here and below: reports in the outbox afterwards, as the
	 * outbox itself counts them.
	 */
	| { readonly type: "accepted"; readonly sequence: number; readonly waiting: number }
	/**
	 * The outbox dropped `count` reports: it was full and its `policy` chose them, or, with a `reason`, their
	 * bytes were damaged, or belong to another list of sensors, or a command cleared the outbox. `sequence`: of
	 * the report, if it could be read.
	 */
	| {
			readonly type: "dropped";
			readonly count: number;
			readonly waiting: number;
			readonly sequence?: number;
			readonly policy?: "dropOldest" | "thin";
			readonly reason?: "damaged" | "unreadable" | "cleared";
	  }
	/**
	 * `join`: Wi-Fi starts to connect; `joined`: it is connected. `fast`: with the access point of the last
	 * connection.
	 */
	| { readonly type: "join" }
	| { readonly type: "joined"; readonly fast: boolean }
	/** A step on the way to the broker has ended. `duration`: ms. */
	| { readonly type: "radio"; readonly step: RadioStep; readonly duration: number }
	/** SYN is sent. */
	| { readonly type: "open" }
	/** A CONNACK with success has arrived. */
	| { readonly type: "connected"; readonly sessionPresent: boolean }
	/** One PUBLISH was written to the socket. `again`: this report had been sent before. */
	| { readonly type: "publish"; readonly sequence: number; readonly qos: 0 | 1 | 2; readonly again: boolean }
	/** A report was removed from the outbox: PUBACK, PUBCOMP, or for QoS 0 the broker's close. */
	| { readonly type: "acknowledged"; readonly sequence: number; readonly waiting: number }
	/**
	 * The connection is over. Bytes are TCP payload; `roundTrips` counts serial waits, TCP's handshake
	 * included; `reports` were acknowledged in it.
	 */
	| {
			readonly type: "exchange";
			readonly sent: number;
			readonly received: number;
			readonly roundTrips: number;
			readonly reports: number;
	  }
	/** A report could not be delivered in this wake; it waits in the outbox. `reasonCode`: MQTT's, or 0. */
	| { readonly type: "failed"; readonly fault: Fault; readonly reasonCode: ReasonCode }
	/**
	 * The node has executed a command, or refused it. "restored": it has given up settings with which it could
	 * not report.
	 */
	| { readonly type: "command"; readonly command: CommandEventName; readonly accepted: boolean }
	/** The update of the node's firmware has come to a new phase. */
	| { readonly type: "update"; readonly phase: UpdatePhase }
	/**
	 * The broker's bridge has connected, or a try has failed: the `failures`th in a row. `retry`: ms until the
	 * next one.
	 */
	| {
			readonly type: "bridge";
			readonly connected: boolean;
			readonly failures: number;
			readonly retry: Milliseconds;
	  }
	/** awakeLimit cut the wake short. */
	| { readonly type: "limit" }
	/** Deep sleep begins. `duration`: requested ms. */
	| { readonly type: "sleep"; readonly duration: number; readonly waiting: number }
	/** The power was taken away; it comes back with a `boot` of reason `power-on`. */
	| { readonly type: "off" }
	/** The engine stopped this device, which resets. */
	| { readonly type: "crash"; readonly kind: string; readonly message: string; readonly stack?: string }
	/**
	 * With --packets: the node, or `client` of the node's broker, or that broker, sends an MQTT packet.
	 * `client`: the address and port of a client that is no node of the simulation.
	 */
	| ({ readonly type: "packet"; readonly client?: string } & TracedPacket)
	/**
	 * A fault of the run begins or ends; one that is over at once only begins. `node`: a board that it
	 * concerns, or the node whose run it is.
	 */
	| { readonly type: "fault"; readonly fault: string; readonly active: boolean }
	/** A line on the device's console. */
	| { readonly type: "trace"; readonly message: string }
	/**
	 * The broker (`node`) has a new current value. `payload`: text, or hexadecimal after `0x` when it is not
	 * UTF-8.
	 */
	| { readonly type: "value"; readonly topic: string; readonly payload: string; readonly retained: boolean };

export interface SimulationListener {
	event(event: TimedEvent): void;
}
