import type { Client, ClientDevice } from "../../client/client";
import type { Settings } from "../../config/types";
import type { Device } from "../../device";
import type { Fault } from "../../fault";
import type { ReasonCode } from "../../mqtt/constants";
import type { Outbox } from "../outbox/outbox";
import type { RetainedState } from "../retained/retained-state";
import type { NodeClock } from "../time/node-clock";
import type { Diagnostics } from "./diagnostics";
import type { ReportEncoder } from "./report-encoder";

export interface ReportExchangeHandler {
	/** `runCommandStep` is to be called after so many ms, in place of an earlier request; 0: not at all. */
	startCommandTimer(ms: number): void;
	/** The connection has ended, as a command asks for a new start of the node. */
	onRestart(): void;
	/** A command asks for another image. */
	onImageDue(): void;
	/** A report was acknowledged; it is removed from the outbox. */
	onDelivered(): void;
	/** CONNACK accepted the connection. */
	onOpened(): void;
	/**
	 * The broker refused a report: its topic is paused for `pauseMs` (see topic-backoff.ts). `reasonCode`:
	 * MQTT's.
	 */
	onRefused(topic: number, fault: Fault, reasonCode: ReasonCode, pauseMs: number): void;
	/**
	 * The connection has ended, and all reports in the outbox were acknowledged, except those on paused topics.
	 */
	onDone(): void;
	/**
	 * The connection has ended with reports pending, or it should have stayed open. `reasonCode`: MQTT's, 0:
	 * none.
	 */
	onFailed(fault: Fault, reasonCode: ReasonCode, message: string): void;
}

/**
 * What an exchange of reports works with, shared by its parts: the node itself, as an object of its own would
 * take RAM.
 */
export interface ExchangeParts extends ReportExchangeHandler {
	readonly device: Pick<Device, "trace"> & { readonly event?: Device["event"] | undefined };
	/** The device of the connection. */
	readonly network: ClientDevice;
	readonly settings: Settings;
	readonly retained: RetainedState;
	readonly outbox: Outbox;
	readonly encoder: ReportEncoder;
	readonly clock: NodeClock;
	/** Made by the exchange. */
	client: Client;
	/** Absent: there are none. */
	readonly diagnostics?: Diagnostics;
	/** The connection stays open for later reports. */
	readonly staysConnected: boolean;
}
