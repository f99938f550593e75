import type { Scheduled, Scheduler } from "../clock/scheduler";
import { DeviceSocket } from "./device-socket";
import { RECEIVE_WINDOW, SEND_ROOM } from "./socket";

interface Segment {
	/** Position of the first byte in the stream. */
	readonly start: number;
	readonly bytes: Uint8Array;
	readonly fin: boolean;
}

/** First retransmission time-out, ms (ESP-IDF's LWIP_TCP_RTO_TIME); doubles with each. */
const RETRANSMIT = 1500;
/** Retransmissions before the connection is given up (TCP_MAXRTX, TCP_SYNMAXRTX). */
const RETRIES = 12;
/** Longest pause between two, ms. */
const RETRANSMIT_LIMIT = 60_000;
const NOTHING = new Uint8Array(0);

/** Where a socket is plugged in. */
export interface Plug {
	/** Packets to and from here disappear. */
	readonly blackHole: boolean;
	/** Whether packets leave here for `to` now. */
	reaches(to: Plug): boolean;
	/** Whether packets arrive here now. */
	isReached(): boolean;
	/** The connection is over. */
	forget(socket: VirtualSocket): void;
}

/** One end of a virtual connection: a reliable stream over a path of fixed latency that may lose packets while it is down. */
export class VirtualSocket extends DeviceSocket {
	/** Set by the network at the handshake. */
	peer: VirtualSocket | undefined;
	readonly #host: Plug;
	readonly #latency: number;
	readonly #unsent: Uint8Array[] = [];
	readonly #unacknowledged: Segment[] = [];
	#unsentBytes = 0;
	#inFlight = 0;
	#sequence = 0;
	#expected = 0;
	#finQueued = false;
	#finSent = false;
	#dead = false;
	#retry: Scheduled | undefined;
	#retries = 0;

	constructor(scheduler: Scheduler, host: Plug, latency: number) {
		super(scheduler);
		this.#host = host;
		this.#latency = latency;
	}

	get host(): Plug {
		return this.#host;
	}

	/** Neither end will send or answer any more. */
	get dead(): boolean {
		return this.#dead;
	}

	/** The handshake is complete on this side. */
	up(): void {
		this.statistics.arrived(0, this.scheduler.now);
		this.established();
	}

	/** Runs `arrive` at the other host one latency later; `lost` runs instead (at once or then) if the path is down. */
	carry(to: Plug, arrive: () => void, lost: () => void): void {
		if (!this.#host.reaches(to)) lost();
		else this.scheduler.after(this.#latency, () => (to.isReached() ? arrive() : lost()));
	}

	/** Calls `attempt` again after the present time-out, or gives the connection up. */
	retransmit(attempt: () => void): void {
		if (this.#retry || this.#dead) return;
		const delay = Math.min(RETRANSMIT * 2 ** this.#retries, RETRANSMIT_LIMIT);
		this.#retry = this.scheduler.after(delay, () => {
			this.#retry = undefined;
			if (this.#dead) return;
			if (++this.#retries > RETRIES) this.die();
			else attempt();
		});
	}

	/** RST came, or nobody answers. */
	die(): void {
		if (this.#dead) return;
		this.#stop();
		this.ended();
	}

	protected get room(): number {
		return Math.max(0, SEND_ROOM - this.#unsentBytes - this.#inFlight);
	}

	protected get wasReset(): boolean {
		return this.#dead;
	}

	protected enqueue(bytes: Uint8Array): void {
		this.#unsent.push(bytes);
		this.#unsentBytes += bytes.length;
	}

	protected output(): void {
		const peer = this.peer;
		if (!peer || this.#dead || this.#finSent) return;
		const window = RECEIVE_WINDOW - peer.inbox.length - this.#inFlight;
		const length = Math.min(this.#unsentBytes, window);
		const fin = this.#finQueued && length === this.#unsentBytes;
		if (length <= 0 && !fin) return;
		const bytes = this.#take(length);
		const segment = { start: this.#sequence, bytes, fin };
		this.#sequence += bytes.length;
		this.#inFlight += bytes.length;
		this.#finSent = fin;
		this.#unacknowledged.push(segment);
		this.#transmit(segment);
	}

	protected consumed(): void {
		const peer = this.peer;
		// The window opens: news only to a peer that waits for it.
		if (peer && peer.#unsentBytes > 0) this.carry(peer.#host, () => peer.output(), NOTHING_HAPPENS);
	}

	protected shut(reset: boolean): void {
		const peer = this.peer;
		if (reset || !peer) {
			this.#stop();
			if (peer) this.carry(peer.#host, () => peer.die(), NOTHING_HAPPENS);
			return;
		}
		this.#finQueued = true;
		this.output();
	}

	protected vanish(): void {
		this.#stop();
	}

	#stop(): void {
		this.#dead = true;
		this.scheduler.cancel(this.#retry);
		this.#retry = undefined;
		this.#unsent.length = 0;
		this.#unacknowledged.length = 0;
		this.#unsentBytes = 0;
		this.#inFlight = 0;
		this.#host.forget(this);
	}

	#take(length: number): Uint8Array {
		this.#unsentBytes -= length;
		if (length === 0) return NOTHING;
		const first = this.#unsent[0]!;
		if (first.length === length) {
			this.#unsent.shift();
			return first;
		}
		const bytes = new Uint8Array(length);
		let filled = 0;
		while (filled < length) {
			const chunk = this.#unsent[0]!;
			const part = chunk.subarray(0, length - filled);
			bytes.set(part, filled);
			filled += part.length;
			if (part.length === chunk.length) this.#unsent.shift();
			else this.#unsent[0] = chunk.subarray(part.length);
		}
		return bytes;
	}

	#transmit(segment: Segment): void {
		const peer = this.peer!;
		this.carry(
			peer.#host,
			() => peer.#arrive(segment),
			() => this.#missed(),
		);
	}

	/** A packet or its acknowledgement was lost: everything unacknowledged goes again later. */
	#missed(): void {
		// The last FIN of a closed socket to a host that is gone: nobody would notice.
		if (this.closed && this.peer!.#dead) this.#stop();
		else
			this.retransmit(() => {
				for (const segment of [...this.#unacknowledged]) this.#transmit(segment);
			});
	}

	#arrive(segment: Segment): void {
		const sender = this.peer!;
		if (this.#dead) {
			this.carry(sender.#host, () => sender.die(), NOTHING_HAPPENS);
			return;
		}
		// A gap: what is missing is on its way again, and this follows it.
		if (segment.start > this.#expected) return;
		if (segment.start === this.#expected && !this.lost) {
			this.#expected += segment.bytes.length;
			if (segment.bytes.length > 0) this.received(segment.bytes);
			if (segment.fin) this.ended();
		}
		this.carry(
			sender.#host,
			() => sender.#acknowledged(segment),
			() => sender.#missed(),
		);
		if (this.closed && this.#finSent && this.#unacknowledged.length === 0 && this.lost) this.#stop();
	}

	#acknowledged(segment: Segment): void {
		if (this.#dead || !this.#unacknowledged.includes(segment)) return;
		while (this.#unacknowledged.length > 0) {
			const first = this.#unacknowledged.shift()!;
			this.#inFlight -= first.bytes.length;
			if (first === segment) break;
		}
		this.#retries = 0;
		if (this.#unacknowledged.length === 0) {
			this.scheduler.cancel(this.#retry);
			this.#retry = undefined;
			if (this.#finSent && this.lost) {
				this.#stop();
				return;
			}
		}
		if (segment.bytes.length > 0 && !this.lost) this.relieved();
		this.output();
	}
}

function NOTHING_HAPPENS(): void {}
