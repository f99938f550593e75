import { type Client, REJECTED } from "../../client/client";
import type { DiscoverySettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { DUP, QOS1, RETAIN, type ReasonCode, reasonName, UNSPECIFIED_ERROR } from "../../mqtt/constants";
import { utf8 } from "../../mqtt/utf8";
import { IDLE } from "../../session/delivery";
import { type Announced, NOTHING_ANNOUNCED, readAnnounced, writeAnnounced } from "./announced-names";
import { AnnouncedRecord } from "./announced-record";
import type { Announcement } from "./announcement";
import { announcedBy, announcementAt, stateAnnouncement } from "./announcement-plan";

/** Tag of all messages; sequence numbers of reports do not get that far. */
export const ANNOUNCEMENT_TAG = 0xffff_ffff;
/** One message is in flight at a time, so that it is the same identifier in each exchange. [MQTT-4.4.0-1] */
const PACKET_ID = 65_535;

export type AnnouncerDevice = Pick<Device, "mac" | "chip" | "storage" | "trace"> & {
	readonly sleep: Pick<Device["sleep"], "reason">;
};

// What an exchange has to announce, and what is known of it: bits of a number
/** Something is to be sent in this exchange. */
export const ANNOUNCES = 1;
/** The whole announcement, and not only the state. */
const WHOLE = 2;
/** The state was settled when this connection was opened. */
const SETTLED = 4;

/** Where a node has the record of what it has announced. */
interface RecordingNode {
	readonly derived: { readonly announcementHash?: number };
	readonly retained: { readonly memory: Uint8Array };
	/** End of its record in retained memory. */
	readonly retainedEnd: number;
}

/** What a node announces, and with what. */
export interface AnnouncingNode extends RecordingNode {
	readonly client: Client;
	readonly settings: Settings;
	readonly device: AnnouncerDevice;
	readonly staysConnected: boolean;
}

/** Somebody may have cleaned up, or replaced the broker. */
function isColdBoot({ sleep: { reason } }: AnnouncerDevice): boolean {
	return reason === "power-on" || reason === "brown-out" || reason === "reset";
}

/**
 * Whether the exchange of a wake has anything to announce. Most have not, and need no {@link Announcer}.
 * @param memory retained memory @param hash see `announcementHash`
 */
export function mayAnnounce(
	discovery: DiscoverySettings,
	memory: Uint8Array,
	end: number,
	hash: number,
): boolean {
	// The Homie convention has a state that each connection puts at stake.
	if (discovery.formats.includes("homie")) return true;
	return !new AnnouncedRecord(memory, end, hash).isAnnounced;
}

/**
 * Call once a boot, when retained memory is restored: a cold boot does not rely on what the broker had. It
 * may have nothing to report, and a later wake announces then.
 */
export function forgetAfterColdBoot(node: RecordingNode & Pick<AnnouncingNode, "settings" | "device">): void {
	if (node.settings.discovery !== undefined && isColdBoot(node.device)) recordOf(node).clear();
}

/**
 * Call before each connection. What it needs to know is a number: an {@link Announcer} is made only when the
 * reports are delivered, as it would take memory while the exchange needs the most.
 * @returns ANNOUNCES or 0, and bits for the Announcer
 */
export function beginTurn(node: AnnouncingNode): number {
	const record = recordOf(node);
	const homie = isHomie(node);
	const whole = !record.isAnnounced;
	const settled = record.isStateSettled && !node.staysConnected;
	const announces = record.takeTurn() && (whole || (homie && !settled));
	// If the connection is lost, the will changes the state.
	if (homie) record.isStateSettled = false;
	return (announces ? ANNOUNCES : 0) | (whole ? WHOLE : 0) | (settled ? SETTLED : 0);
}

/**
 * Call after each connection.
 * @param turn from {@link beginTurn}, or that of the Announcer @param orderly with a DISCONNECT that has left
 */
export function endTurn(node: AnnouncingNode, turn: number, orderly: boolean): void {
	if (!orderly) recordOf(node).isStateSettled = false;
	else if ((turn & SETTLED) !== 0) recordOf(node).isStateSettled = true;
}

function recordOf(node: RecordingNode): AnnouncedRecord {
	return new AnnouncedRecord(node.retained.memory, node.retainedEnd, hashOf(node));
}

function isHomie({ settings }: AnnouncingNode): boolean {
	return settings.discovery?.formats.includes("homie") === true;
}

/**
 * Announces the node to home automation, after the reports of an exchange were delivered: one message after
 * the other, each acknowledged. What does not succeed is tried again in another exchange. For one connection.
 */
export class Announcer {
	/** As {@link beginTurn} has it; without ANNOUNCES once nothing is left to send. */
	turn: number;
	private readonly node: AnnouncingNode;
	private readonly discovery: DiscoverySettings;
	private readonly record: AnnouncedRecord;
	/** The message to send, or in flight; undefined: it is not made yet, or there are none left. */
	private message: Announcement | undefined = undefined;
	/** The step at which this exchange begins is known. */
	private isPlanned = false;
	private before: Announced = NOTHING_ANNOUNCED;
	/** Index of the message to send, or in flight. */
	private step = 0;
	/** A message waits for its PUBACK. */
	inFlight = false;
	/** Of that message, in bytes. */
	private payloadLength = 0;
	/** Part of its payload that is being written, and the bytes of that part which are left. */
	private partIndex = 0;
	private bytes: Uint8Array | undefined = undefined;
	private written = 0;

	/** @param turn from {@link beginTurn} @throws if the settings say of nothing to announce */
	constructor(node: AnnouncingNode, turn: number) {
		const { discovery } = node.settings;
		if (discovery === undefined) throw new Error("nothing is to be announced");
		this.node = node;
		this.turn = turn;
		this.discovery = discovery;
		this.record = recordOf(node);
	}

	private get isWhole(): boolean {
		return (this.turn & WHOLE) !== 0;
	}

	/** Call when the reports were delivered: makes the next message, and measures it. */
	prepare(): void {
		if (this.inFlight) return;
		if (!this.isPlanned) this.plan();
		this.message = this.messageAt(this.step);
		if (this.message !== undefined) this.payloadLength = lengthOf(this.message);
	}

	/**
	 * Begins the next message, after {@link prepare}; its payload follows by {@link finishPayload}.
	 * @returns whether nothing is left to send or to wait for
	 */
	advance(): boolean {
		const { message } = this;
		if (this.inFlight || !this.isPlanned) return false;
		return message === undefined ? this.finish() : this.beginMessage(message.topic);
	}

	/** Goes on with a payload that did not fit. @returns whether no payload is incomplete */
	finishPayload(): boolean {
		const { client } = this.node;
		const { message } = this;
		if (message === undefined) return true;
		while (client.payloadRemaining > 0) {
			this.bytes ??= utf8(message.part(this.partIndex));
			const { length } = this.bytes;
			this.written += client.writePayload(this.bytes, this.written, length);
			if (this.written < length) return false;
			this.startPart(this.partIndex + 1);
		}
		return true;
	}

	/** The broker has answered. */
	onAnswer(reasonCode: ReasonCode): void {
		this.inFlight = false;
		this.record.unansweredStep = -1;
		if (reasonCode >= UNSPECIFIED_ERROR)
			this.giveUp(`the broker refuses it, ${reasonName(reasonCode)}`, true);
		else this.step++;
	}

	/** The connection has ended: {@link endTurn} follows. */
	onClosed(): void {
		if (!this.inFlight) return;
		// The exchange is not to take it for a report.
		this.node.client.inFlight.setState(PACKET_ID, IDLE, 0);
		this.inFlight = false;
		this.giveUp("the connection has ended", false);
	}

	private plan(): void {
		const { record, node } = this;
		if (this.isWhole) this.before = readAnnounced(node.device);
		this.isPlanned = true;
		const unanswered = record.unansweredStep;
		// Only in its session does a message continue. [MQTT-4.4.0-1]
		const resumes = unanswered > 0 && node.client.negotiated.sessionPresent;
		this.step = resumes && this.messageAt(unanswered) !== undefined ? unanswered : 0;
	}

	private messageAt(index: number): Announcement | undefined {
		const { discovery, node } = this;
		const { settings, staysConnected } = node;
		if (this.isWhole)
			return announcementAt(
				index,
				settings,
				discovery,
				node.device,
				this.before,
				hashOf(node),
				staysConnected,
			);
		return index === 0 ? stateAnnouncement(settings, discovery, staysConnected) : undefined;
	}

	/** @returns whether it cannot be sent on this connection, nor anything after it */
	private beginMessage(topic: string): boolean {
		const { record, step } = this;
		const { client } = this.node;
		const { maximumQoS, retainAvailable, sessionPresent } = client.negotiated;
		if (maximumQoS === 0 || !retainAvailable)
			return this.giveUp("the broker lacks QoS 1, or does not retain", true);
		let flags = QOS1 | RETAIN;
		if (sessionPresent && record.unansweredStep === step) flags |= DUP; // [MQTT-3.3.1-1]
		const length = this.payloadLength;
		const result = client.beginPublish(utf8(topic), length, flags, undefined, PACKET_ID, ANNOUNCEMENT_TAG);
		if (result === REJECTED)
			return this.giveUp(`a packet with its ${length} bytes is more than broker or sendBuffer take`, true);
		if (result < 0) return false;
		this.inFlight = true;
		record.unansweredStep = step;
		this.startPart(0);
		return false;
	}

	private startPart(index: number): void {
		this.partIndex = index;
		this.written = 0;
		this.bytes = undefined;
	}

	private finish(): true {
		const { record, discovery } = this;
		const { device, settings } = this.node;
		this.turn &= ~ANNOUNCES;
		this.message = undefined;
		if (isHomie(this.node)) this.turn |= SETTLED;
		if (!this.isWhole) return true;
		record.finish();
		writeAnnounced(device, this.before, announcedBy(settings, discovery, this.before, hashOf(this.node)));
		this.before = NOTHING_ANNOUNCED;
		const formats = discovery.formats.join(" and ");
		device.trace(formats === "none" ? "no longer announced" : `announced: ${formats}`);
		return true;
	}

	private giveUp(reason: string, forGood: boolean): true {
		this.turn &= ~ANNOUNCES;
		const exchanges = this.record.countFailure(forGood);
		const next = exchanges === 1 ? "the next exchange" : `${exchanges} exchanges`;
		this.node.device.trace(`not announced: ${reason}; tried again in ${next}`);
		return true;
	}
}

function hashOf({ derived }: RecordingNode): number {
	return derived.announcementHash ?? 0;
}

/** Bytes of the whole payload. */
function lengthOf(message: Announcement): number {
	let length = 0;
	for (let i = 0; i < message.partCount; i++) length += utf8(message.part(i)).length;
	return length;
}
