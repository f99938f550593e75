import { BUSY, type Client, REJECTED } from "../../client/client";
import type { Device, WakeReason } from "../../device";
import { RETAIN } from "../../mqtt/constants";
import { type Decimal, writeInteger, writeNull, writeNumber } from "../../text/decimal";
import { isIso8601Time, writeIso8601 } from "../../text/iso8601";
import {
	droppedReports,
	SENSOR_REALS,
	SENSOR_VALUE,
	WORD_FAILED_READINGS,
	WORD_WAITING,
	WORD_WAKES,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";
import {
	DIAGNOSTICS_AWAKE,
	DIAGNOSTICS_DUE,
	DIAGNOSTICS_FAILURES,
	DIAGNOSTICS_REASON,
	DIAGNOSTICS_RESETS,
	type DiagnosticsLayout,
	resetReasons,
} from "../settings/diagnostics-layout";
import { fillTopic } from "../settings/topic";
import type { NodeClock } from "../time/node-clock";

const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;
/** Share of `every` by which a message may go early, along with reports. */
const EARLY_SHARE = 0.25;

// Causes of a wake that are no GPIO
const WOKEN_BY_TIMER = -1;
const WOKEN_BY_RESET = -2;

// Where the message is, in the present connection
const NOT_SENT = 0;
const SENT = 1;

/** What a message is written from, and the connection that takes it. */
interface Parts {
	readonly client: Client;
	readonly retained: RetainedState;
	readonly clock: NodeClock;
	readonly device: Pick<Device, "trace">;
	/** Its buffer is of the layout's size. */
	readonly encoder: { readonly payload: Uint8Array };
	readonly outbox: { readonly record: { borrowDecimal(): Decimal } };
	readonly staysConnected: boolean;
}

/**
 * Messages about the node itself: QoS 0, retained, along with reports. One that is not confirmed by the end
 * of its connection is sent again in the next one. Nothing is allocated.
 */
export class Diagnostics {
	/** Signal strength of the network in dBm; 0: unknown. */
	signal = 0;
	private readonly layout: DiagnosticsLayout;
	private readonly every: number;
	private readonly topic: Uint8Array;
	private readonly state: Float64Array;
	/** Where diagnostics begin in the state. */
	private readonly from: number;
	/** Node time at start. */
	private startedAt = 0;
	/** What has ended the last sleep: a GPIO, or one of the causes below. */
	private cause = WOKEN_BY_RESET;
	private progress: typeof NOT_SENT | typeof SENT = NOT_SENT;

	/** @param every ms */
	constructor(
		every: number,
		layout: DiagnosticsLayout,
		state: Float64Array,
		from: number,
		identity: Pick<Device, "mac" | "chip">,
	) {
		this.every = every;
		this.layout = layout;
		this.state = state;
		this.from = from;
		this.topic = fillTopic(layout.topic, identity);
	}

	/**
	 * Call at boot.
	 * @param reason why, if it is no wake from deep sleep
	 * @param wakePin GPIO that ended a deep sleep
	 */
	start(reason: WakeReason, now: number, wakePin?: number): void {
		const { state, from } = this;
		this.startedAt = now;
		if (reason === "deep-sleep") this.cause = wakePin ?? WOKEN_BY_TIMER;
		// A time this far ahead means that the settings have changed.
		if (state[from + DIAGNOSTICS_DUE] - now > this.every) state[from + DIAGNOSTICS_DUE] = now;
		if (reason === "deep-sleep") return;
		state[from + DIAGNOSTICS_RESETS]++;
		state[from + DIAGNOSTICS_REASON] = resetReasons.indexOf(reason);
	}

	/** Node time of the next message. */
	get dueAt(): number {
		return this.state[this.from + DIAGNOSTICS_DUE];
	}

	/** Call before the last commit of a wake. */
	recordSleep(now: number): void {
		this.state[this.from + DIAGNOSTICS_AWAKE] += now - this.startedAt;
	}

	/** Call before a connection. */
	reset(): void {
		this.progress = NOT_SENT;
	}

	/** What was sent has arrived: the connection has ended in order, or stays open. @param now node time */
	confirm(now: number): void {
		if (this.progress === NOT_SENT) return;
		this.progress = NOT_SENT;
		this.state[this.from + DIAGNOSTICS_DUE] = now + this.every;
	}

	/**
	 * Sends a message if one is due, or nearly so. Call after the reports, whose buffers it uses.
	 * @returns false: it cannot be sent now
	 */
	send(parts: Parts): boolean {
		const { client, clock, staysConnected } = parts;
		const { now } = clock;
		if (this.progress === NOT_SENT) {
			if (this.dueAt - now > this.every * EARLY_SHARE) return true;
			if (!this.publish(parts, now)) return false;
		}
		if (staysConnected && client.negotiated.isAgreed) this.confirm(now);
		return true;
	}

	private publish({ client, retained, clock, device, encoder, outbox }: Parts, now: number): boolean {
		const { topic } = this;
		const { payload } = encoder;
		const limit = client.payloadLimit(topic.length, 0);
		const time = now + clock.wallOffsetAt(now);
		const length = this.write(payload, limit, now, time, retained, outbox.record.borrowDecimal());
		const result = client.publish(topic, payload, length, RETAIN);
		if (result === BUSY) return false;
		if (result === REJECTED) {
			// Cached limits may be out of date: only the CONNACK of this connection is final.
			if (!client.negotiated.isAgreed) return false;
			device.trace(`diagnostics of ${length} bytes are too large for the broker or for sendBuffer`);
		}
		this.progress = SENT;
		return true;
	}

	/** @param limit bytes; failed sensors are named as far as they fit @param time wall time @returns bytes */
	private write(
		bytes: Uint8Array,
		limit: number,
		now: number,
		time: number,
		{ words, sensors }: RetainedState,
		decimal: Decimal,
	): number {
		const { state, from } = this;
		const { texts, reasons, battery } = this.layout;
		let at = copy(bytes, 0, texts.time);
		if (isIso8601Time(time)) {
			bytes[at] = QUOTE;
			at = writeIso8601(bytes, at + 1, time);
			bytes[at++] = QUOTE;
		} else at = writeNull(bytes, at);
		at = writeInteger(bytes, copy(bytes, at, texts.wakes), words[WORD_WAKES]);
		at = writeInteger(bytes, copy(bytes, at, texts.uptime), Math.floor(now / 1000));
		at = copy(bytes, copy(bytes, at, texts.reason), reasons[state[from + DIAGNOSTICS_REASON]]);
		at = writeInteger(bytes, copy(bytes, at, texts.resets), state[from + DIAGNOSTICS_RESETS]);
		at = this.writeCause(bytes, copy(bytes, at, texts.cause));
		if (this.signal !== 0) at = writeNumber(bytes, copy(bytes, at, texts.rssi), this.signal, decimal);
		const awake = now - this.startedAt;
		at = writeInteger(bytes, copy(bytes, at, texts.awake), awake);
		const total = Math.floor((state[from + DIAGNOSTICS_AWAKE] + awake) / 1000);
		at = writeInteger(bytes, copy(bytes, at, texts.totalAwake), total);
		at = writeInteger(bytes, copy(bytes, at, texts.waiting), words[WORD_WAITING]);
		at = writeInteger(bytes, copy(bytes, at, texts.dropped), droppedReports(words));
		const failed = words[WORD_FAILED_READINGS];
		at = writeInteger(bytes, copy(bytes, at, texts.failed), failed);
		if (battery >= 0) {
			const value = sensors[battery * SENSOR_REALS + SENSOR_VALUE];
			at = writeNumber(bytes, copy(bytes, at, texts.battery), value, decimal);
		}
		if (failed > 0) at = this.writeFailedSensors(bytes, at, limit);
		return copy(bytes, at, texts.end);
	}

	private writeCause(bytes: Uint8Array, at: number): number {
		const { timer, pin, reasons } = this.layout;
		const { cause } = this;
		if (cause === WOKEN_BY_TIMER) return copy(bytes, at, timer);
		if (cause === WOKEN_BY_RESET) return copy(bytes, at, reasons[this.state[this.from + DIAGNOSTICS_REASON]]);
		const end = writeInteger(bytes, copy(bytes, at, pin), cause);
		bytes[end] = QUOTE;
		return end + 1;
	}

	private writeFailedSensors(bytes: Uint8Array, at: number, limit: number): number {
		const { names, texts } = this.layout;
		const { state, from } = this;
		let end = copy(bytes, at, texts.sensors);
		const first = end;
		for (let i = 0; i < names.length; i++) {
			const count = state[from + DIAGNOSTICS_FAILURES + i];
			if (count === 0) continue;
			const next = writeInteger(bytes, copy(bytes, end, names[i]), count);
			// Two braces follow.
			if (next + 2 > limit) break;
			bytes[next] = COMMA;
			end = next + 1;
		}
		if (end === first) return at;
		bytes[end - 1] = CLOSING_BRACE;
		return end;
	}
}

function copy(to: Uint8Array, at: number, from: Uint8Array): number {
	to.set(from, at);
	return at + from.length;
}
