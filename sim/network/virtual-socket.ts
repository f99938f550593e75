import { ACK, FIN, PSH, RST, type SegmentTap } from "../capture/tap";
import type { Scheduled, Scheduler } from "../clock/scheduler";
import { DeviceSocket } from "./device-socket";

interface Segment {
	/** Position of the first byte in the stream. */
	readonly start: number;
	readonly bytes: Uint8Array;
	readonly fin: boolean;
}

/** First retransmission timeout, ms (ESP-IDF's LWIP_TCP_RTO_TIME); doubles with each. */
const RETRANSMIT_TIMEOUT_MS = 1500;
/** Retransmissions before the connection is aborted (TCP_MAXRTX, TCP_SYNMAXRTX). */
const MAX_RETRANSMISSIONS = 12;
/** Longest pause between two retransmissions, ms. */
const MAX_RETRANSMIT_DELAY_MS = 60_000;
const EMPTY = new Uint8Array(0);

/** The host of a socket. */
export interface SocketHost {
	/** Whether packets to and from this host are dropped. */
	readonly blackHole: boolean;
	readonly address: string;
	/** Bytes that a new socket can hold unacknowledged. */
	readonly sendRoom: number;
	/** Bytes received and not yet read that a new socket can hold. */
	readonly receiveWindow: number;
	/** Whether RST discards what is received and not yet read. */
	readonly discardsOnReset: boolean;
	/** Share of the packets to and from this host that are lost, 0 … 1. */
	readonly lossRate: number;
	/** Longest time by which packets to and from this host are late, ms. */
	readonly delay: number;
	/** Whether packets can leave for `to` now. */
	canSendTo(to: SocketHost): boolean;
	/** Whether the packet that leaves for `to` now is lost on its way. */
	losesPacketTo(to: SocketHost): boolean;
	/** By how much the packet that leaves for `to` now is late, ms. */
	delayTo(to: SocketHost): number;
	/** Whether packets can arrive now. */
	canReceive(): boolean;
	/** The connection is over. */
	removeSocket(socket: VirtualSocket): void;
}

/**
 * One end of a virtual connection: a reliable stream over a path of fixed latency that may lose packets while
 * it is down.
 */
export class VirtualSocket extends DeviceSocket {
	/** Set by the network at the handshake. */
	peer: VirtualSocket | undefined;
	/** Receives what this end sends. */
	tap: SegmentTap | undefined;
	readonly #host: SocketHost;
	readonly #latency: number;
	readonly #sendRoom: number;
	readonly #receiveWindow: number;
	readonly #unsent: Uint8Array[] = [];
	readonly #unacknowledged: Segment[] = [];
	#unsentBytes = 0;
	#inFlight = 0;
	#sequence = 0;
	#expected = 0;
	#finQueued = false;
	#finSent = false;
	#finReceived = false;
	#terminated = false;
	#retry: Scheduled | undefined;
	#retries = 0;
	/** Nothing that this end sends arrives any more. */
	#severed = false;
	/** When the last packet of this end arrives: packets do not overtake each other. */
	#lastArrival = 0;

	constructor(scheduler: Scheduler, host: SocketHost, latency: number) {
		super(scheduler);
		this.#host = host;
		this.#latency = latency;
		this.#sendRoom = host.sendRoom;
		this.#receiveWindow = host.receiveWindow;
	}

	get host(): SocketHost {
		return this.#host;
	}

	/** Throws where the SDK's class would read memory of a connection that lwIP has freed. */
	get remoteAddress(): string {
		if (this.peer === undefined || this.#terminated) throw new Error("not connected");
		return this.peer.host.address;
	}

	/** Neither end sends or responds any more. */
	get terminated(): boolean {
		return this.#terminated;
	}

	/** The handshake is complete on this side. */
	onHandshakeComplete(): void {
		this.statistics.countReceived(0, this.scheduler.now);
		this.onEstablished();
	}

	/**
	 * Runs `arrive` at the other host one latency later; `lost` runs instead (at once or then) if the path is
	 * down, or loses the packet.
	 */
	transmitTo(to: SocketHost, arrive: () => void, lost: () => void): void {
		const host = this.#host;
		if (this.#severed || !host.canSendTo(to) || host.losesPacketTo(to)) {
			lost();
			return;
		}
		const arrival = this.scheduler.now + this.#latency + host.delayTo(to);
		this.#lastArrival = Math.max(arrival, this.#lastArrival);
		this.scheduler.at(this.#lastArrival, () => (to.canReceive() ? arrive() : lost()));
	}

	/** Nothing passes on this connection any more, in either direction. */
	sever(): void {
		this.#severed = true;
		if (this.peer) this.peer.#severed = true;
	}

	/** Passes a segment that this end sends to the tap. @param segment absent: no bytes and no FIN */
	tapSegment(to: SocketHost, flags: number, segment?: Segment): void {
		if (!this.#host.canSendTo(to)) return;
		this.tap?.segment(
			flags | (segment?.fin ? FIN : 0) | (segment && segment.bytes.length > 0 ? PSH : 0),
			segment?.start ?? this.#sequence + (this.#finSent ? 1 : 0),
			segment?.bytes ?? EMPTY,
			this.#expected + (this.#finReceived ? 1 : 0),
			this.#receiveWindow - this.receiveBuffer.length,
		);
	}

	/** Calls `attempt` again after the present timeout, or aborts the connection. */
	retransmit(attempt: () => void): void {
		if (this.#retry || this.#terminated) return;
		const delay = Math.min(RETRANSMIT_TIMEOUT_MS * 2 ** this.#retries, MAX_RETRANSMIT_DELAY_MS);
		this.#retry = this.scheduler.after(delay, () => {
			this.#retry = undefined;
			if (this.#terminated) return;
			if (++this.#retries > MAX_RETRANSMISSIONS) this.terminate();
			else attempt();
		});
	}

	/** Sends RST, which ends the connection of `peer`. */
	sendReset(peer: VirtualSocket): void {
		if (this.tap) this.tapSegment(peer.#host, RST | ACK);
		this.transmitTo(peer.#host, () => peer.#onReset(), noop);
	}

	/** Ends the connection with RST, as if the program that owns the socket were killed. */
	reset(): void {
		if (this.peer) this.sendReset(this.peer);
		this.terminate();
	}

	#onReset(): void {
		if (!this.#terminated && this.#host.discardsOnReset) this.receiveBuffer.clear();
		this.terminate();
	}

	/** The connection was refused or reset, or the peer does not respond. */
	terminate(): void {
		if (this.#terminated) return;
		this.#release();
		this.onEnded();
	}

	protected get room(): number {
		return Math.max(0, this.#sendRoom - this.#unsentBytes - this.#inFlight);
	}

	protected get wasReset(): boolean {
		return this.#terminated;
	}

	protected enqueue(bytes: Uint8Array): void {
		this.#unsent.push(bytes);
		this.#unsentBytes += bytes.length;
	}

	protected flushOutput(): void {
		const peer = this.peer;
		if (!peer || this.#terminated || this.#finSent) return;
		const receiveWindow = peer.#receiveWindow - peer.receiveBuffer.length - this.#inFlight;
		const length = Math.min(this.#unsentBytes, receiveWindow);
		const fin = this.#finQueued && length === this.#unsentBytes;
		if (length <= 0 && !fin) return;
		const bytes = this.#takeUnsent(length);
		const segment = { start: this.#sequence, bytes, fin };
		this.#sequence += bytes.length;
		this.#inFlight += bytes.length;
		this.#finSent = fin;
		this.#unacknowledged.push(segment);
		this.#transmit(segment);
	}

	protected onConsumed(): void {
		const peer = this.peer;
		// A window update matters only to a peer with unsent bytes.
		if (!peer || peer.#unsentBytes === 0) return;
		if (this.tap) this.tapSegment(peer.#host, ACK);
		this.transmitTo(peer.#host, () => peer.flushOutput(), noop);
	}

	protected closeConnection(reset: boolean): void {
		const peer = this.peer;
		if (reset || !peer) {
			this.#release();
			if (peer) this.sendReset(peer);
			return;
		}
		this.#finQueued = true;
		this.flushOutput();
	}

	protected dropSilently(): void {
		this.#release();
	}

	#release(): void {
		this.#terminated = true;
		this.scheduler.cancel(this.#retry);
		this.#retry = undefined;
		this.#unsent.length = 0;
		this.#unacknowledged.length = 0;
		this.#unsentBytes = 0;
		this.#inFlight = 0;
		this.#host.removeSocket(this);
	}

	#takeUnsent(length: number): Uint8Array {
		this.#unsentBytes -= length;
		if (length === 0) return EMPTY;
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
		if (this.tap) this.tapSegment(peer.#host, ACK, segment);
		this.transmitTo(
			peer.#host,
			() => peer.#onSegment(segment),
			() => this.#scheduleRetransmission(),
		);
	}

	/** A packet or its acknowledgement was lost: all unacknowledged bytes are sent again later. */
	#scheduleRetransmission(): void {
		// The last FIN of a closed socket to a host that is gone has no effect.
		if (this.closed && this.peer!.#terminated) this.#release();
		else
			this.retransmit(() => {
				for (const segment of [...this.#unacknowledged]) this.#transmit(segment);
			});
	}

	#onSegment(segment: Segment): void {
		const sender = this.peer!;
		if (this.#terminated) {
			this.sendReset(sender);
			return;
		}
		// A gap: the missing bytes are being sent again, followed by this segment.
		if (segment.start > this.#expected) return;
		if (this.closed && segment.bytes.length > 0) {
			// lwIP aborts a connection that receives after close() (tcp_input, TF_RXCLOSED).
			this.closeConnection(true);
			return;
		}
		if (segment.start === this.#expected && !this.lost) {
			this.#expected += segment.bytes.length;
			if (segment.bytes.length > 0) this.onReceived(segment.bytes);
			if (segment.fin) {
				this.#finReceived = true;
				this.onEnded();
			}
		}
		if (this.tap) this.tapSegment(sender.#host, ACK);
		this.transmitTo(
			sender.#host,
			() => sender.#onAcknowledged(segment),
			() => sender.#scheduleRetransmission(),
		);
		if (this.closed && this.#finSent && this.#unacknowledged.length === 0 && this.lost) this.#release();
	}

	#onAcknowledged(segment: Segment): void {
		if (this.#terminated || !this.#unacknowledged.includes(segment)) return;
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
				this.#release();
				return;
			}
		}
		if (segment.bytes.length > 0 && !this.lost) this.onSendRoom();
		this.flushOutput();
	}
}

function noop(): void {}
