import type { PcapFile } from "./capture/pcap-file";
import type { Speed } from "./clock/pace";
import type { EngineName } from "./engine/engine-factory";
import type { Fault } from "./faults/fault";
import type { SimulationListener } from "./report/events";
import type { ReadingOptions } from "./sensors/csv";
import type { ColumnNames } from "./sensors/replay";

/** A manifest as the command line has read and checked it. */
export interface SimulationManifest {
	/** Absolute; includes are relative to its folder. */
	readonly path: string;
	readonly json: object;
	/** Top-level strings of `mc/config`. */
	readonly overrides: Readonly<Record<string, string | undefined>>;
}

export interface SimulationOptions {
	readonly manifest: SimulationManifest;
	readonly speed: Speed;
	/** Any safe integer. */
	readonly seed: number;
	/** Boards that run the manifest, 1 … 20; default 1. */
	readonly nodes?: number;
	readonly engine: EngineName;
	readonly listener: SimulationListener;
	/** What goes wrong, and when. */
	readonly faults?: readonly Fault[];
	/** A CSV file that the sensors replay. */
	readonly replay?: string;
	/** How it is read, and which of its columns sensors read whose names do not tell. */
	readonly replayOptions?: ReadingOptions & { readonly columns?: ColumnNames };
	/**
	 * An external broker, which the manifest's configuration already names. Default: a board beside the node
	 * runs the broker.
	 */
	readonly broker?: URL;
	/** One-way latency of the virtual network, ms. */
	readonly latency?: number;
	/** The port on this machine for the broker's board at speed 1; 0, the default, lets the machine choose. */
	readonly listenPort?: number;
	/**
	 * Called when that port accepts connections, and again for the WebSocket port.
	 * @param number 0 for MQTT, 1 for WebSocket
	 */
	listening?(port: number, number: number): void;
	/** Whether each MQTT packet of a board is an event. */
	readonly packets?: boolean;
	/** Receives all that is sent over the connections of a board. The caller closes it. */
	readonly pcap?: PcapFile | undefined;
	/** Called while XS is built, once on a machine. */
	progress?(done: number, total: number): void;
	/** Ends such a build. */
	readonly signal?: AbortSignal;
}
