import type { Board } from "../board/board";
import type { Contacts } from "../board/contacts";
import type { Random } from "../clock/random";
import type { Scheduler } from "../clock/scheduler";
import type { TimeService } from "../network/time-server";
import type { VirtualHost, VirtualNetwork } from "../network/virtual";
import type { AccessPoint } from "../wifi/access-point";
import type { FaultySensors } from "./faulty-sensors";
import type { FaultyStorage } from "./faulty-storage";

/** What decides which faults can concern a board. */
export interface FaultTarget {
	/** In events. */
	readonly name: string;
	readonly hasSensors: boolean;
	readonly hasBroker: boolean;
	/** Whether it is on the virtual network, and not on this machine's. */
	readonly isVirtual: boolean;
}

/** A board that faults can concern. */
export interface FaultBoard extends FaultTarget {
	readonly board: Board;
	readonly sensors: FaultySensors;
	/** Absent: there are none at its pins. */
	readonly contacts?: Contacts;
	readonly storage: FaultyStorage;
	/** Error of its sleep oscillator while nothing is wrong, parts per million. */
	readonly drift: number;
	/** Its place on the virtual network. */
	readonly host?: VirtualHost;
	/** Reports that its power has been taken away. */
	onPowerOff(): void;
}

/** What faults act upon. */
export interface FaultWorld {
	readonly scheduler: Scheduler;
	readonly network: VirtualNetwork;
	readonly accessPoint: AccessPoint;
	readonly timeService: TimeService;
	readonly boards: readonly FaultBoard[];
	/** Of choices that a fault leaves open, such as the byte at which a write is torn. */
	readonly random: Random;
}
