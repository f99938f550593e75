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

/** What a node announces, and with what. */
export interface AnnouncingNode {
	readonly client: Client;
	readonly settings: Settings;
	readonly device: AnnouncerDevice;
	readonly derived: { readonly announcementHash?: number };
	readonly retained: { readonly memory: Uint8Array };
	/** End of its record in retained memory. */
	readonly retainedEnd: number;
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
	device: AnnouncerDevice,
	memory: Uint8Array,
	end: number,
	hash: number,
): boolean {
	// The Homie convention has a state that each connection puts at stake.
	if (discovery.formats.includes("homie") || isColdBoot(device)) return true;
	return !new AnnouncedRecord(memory, end, hash).isAnnounced;
}

/**
 * Announces the node to home automation, after the reports of an exchange were delivered: one message after
 * the other, each acknowledged. What does not succeed is tried again in another exchange.
 */
export class Announcer {
	private readonly node: AnnouncingNode;
	private readonly discovery: DiscoverySettings;
	private readonly record: AnnouncedRecord;
	/** The message to send, or in flight; undefined: it is not made yet, or there are none left. */
	private message: Announcement | undefined = undefined;
	/** The step at which this exchange begins is known. */
	private isPlanned = false;
	/** Whether its messages are the whole announcement, and not only the state. */
	private isWhole = false;
	private before: Announced = NOTHING_ANNOUNCED;
	/** Index of the message to send, or in flight. */
	private step = 0;
	private inFlight = false;
	/** Of that message, in bytes. */
	private payloadLength = 0;
	/** Part of its payload that is being written, and the bytes of that part which are left. */
	private partIndex = 0;
	private bytes: Uint8Array | undefined = undefined;
	private written = 0;
	/** Something is to be sent in this exchange. */
	isPending = false;
	/** The state was settled when this connection was opened. */
	private wasSettled = false;

	/** @throws if its settings say of nothing to announce */
	constructor(node: AnnouncingNode) {
		const { discovery } = node.settings;
		if (discovery === undefined) throw new Error("nothing is to be announced");
		this.node = node;
		this.discovery = discovery;
		this.record = new AnnouncedRecord(node.retained.memory, node.retainedEnd, hashOf(node));
		if (isColdBoot(node.device)) this.record.clear();
	}

	private get isHomie(): boolean {
		return this.discovery.formats.includes("homie");
	}

	/** Call before a connection. */
	begin(): void {
		const { record } = this;
		this.message = undefined;
		this.isPlanned = false;
		this.bytes = undefined;
		this.inFlight = false;
		this.isWhole = !record.isAnnounced;
		this.wasSettled = record.isStateSettled && !this.node.staysConnected;
		this.isPending = record.takeTurn() && (this.isWhole || (this.isHomie && !this.wasSettled));
		// If the connection is lost, the will changes the state.
		if (this.isHomie) record.isStateSettled = false;
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

	/** The connection has ended. @param orderly with a DISCONNECT that has left */
	onClosed(orderly: boolean): void {
		if (this.inFlight) {
			// The exchange is not to take it for a report.
			this.node.client.inFlight.setState(PACKET_ID, IDLE, 0);
			this.giveUp("the connection has ended", false);
		}
		const { record } = this;
		if (orderly && this.wasSettled) record.isStateSettled = true;
		if (!orderly) record.isStateSettled = false;
		this.inFlight = false;
		this.message = undefined;
		this.isPlanned = false;
		this.bytes = undefined;
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
		this.isPending = false;
		this.message = undefined;
		if (this.isHomie) this.wasSettled = true;
		if (!this.isWhole) return true;
		record.finish();
		writeAnnounced(device, this.before, announcedBy(settings, discovery));
		this.before = NOTHING_ANNOUNCED;
		const formats = discovery.formats.join(" and ");
		device.trace(formats === "none" ? "no longer announced" : `announced: ${formats}`);
		return true;
	}

	private giveUp(reason: string, forGood: boolean): true {
		this.isPending = false;
		const exchanges = this.record.countFailure(forGood);
		const next = exchanges === 1 ? "the next exchange" : `${exchanges} exchanges`;
		this.node.device.trace(`not announced: ${reason}; tried again in ${next}`);
		return true;
	}
}

function hashOf({ derived }: AnnouncingNode): number {
	return derived.announcementHash ?? 0;
}

/** Bytes of the whole payload. */
function lengthOf(message: Announcement): number {
	let length = 0;
	for (let i = 0; i < message.partCount; i++) length += utf8(message.part(i)).length;
	return length;
}
