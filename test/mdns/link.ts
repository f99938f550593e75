import type { Datagram, UDP, UDPConstructor, UDPOptions } from "../../src/device";
import { type Announcement, Announcer } from "../../src/mdns/announcer";
import { ipv4 } from "../../src/mdns/ipv4";
import { VirtualClock } from "../support/virtual-clock";
import { decode, type Message } from "./dns-message";

export interface Sent {
	/** ms. */
	readonly at: number;
	readonly from: string;
	readonly to: string;
	readonly port: number;
	readonly bytes: Uint8Array;
	readonly message: Message;
}

const GROUP = "224.0.0.251";
const PORT = 5353;
const NETWORK_MASK = 0xffffff00;
const LATENCY_MS = 1;

/** A network on which hosts send to the group of Multicast DNS, and to each other. */
export class Link {
	readonly clock = new VirtualClock();
	/** Everything that was sent. */
	readonly sent: Sent[] = [];
	/** Datagrams that do not arrive. */
	lost: (sent: Sent) => boolean = () => false;
	readonly #sockets = new Set<LinkSocket>();

	/** A host's UDP sockets. */
	udp(address: string): UDPConstructor {
		const link = this;
		return class extends LinkSocket {
			constructor(options: UDPOptions) {
				super(link, address, options);
			}
		};
	}

	announcer(address: string, announcement: Announcement): Announcer {
		const { timer, time } = this.clock;
		return new Announcer({ timer, time, udp: { io: this.udp(address) } }, announcement);
	}

	/** An announcer on a network of 24 bits, started. */
	start(address: string, announcement: Announcement): Announcer {
		const announcer = this.announcer(address, announcement);
		announcer.start(ipv4(address), NETWORK_MASK);
		return announcer;
	}

	/** What was sent since the last call. */
	take(): Sent[] {
		return this.sent.splice(0);
	}

	/** Lets time pass, and returns what was sent meanwhile. */
	advance(ms: number): Sent[] {
		this.take();
		this.clock.advance(ms);
		return this.take();
	}

	/** A datagram to the group, or to all sockets of an address. */
	send(bytes: Uint8Array, from = "10.0.0.99", port = PORT, to = GROUP): void {
		for (const socket of this.#sockets)
			if (to === GROUP ? socket.hasJoined : socket.address === to)
				this.clock.after(LATENCY_MS, () => socket.deliver(bytes, from, port));
	}

	write(socket: LinkSocket, bytes: Uint8Array, to: string, port: number): void {
		const copy = bytes.slice();
		const sent = { at: this.clock.now, from: socket.address, to, port, bytes: copy, message: decode(copy) };
		this.sent.push(sent);
		if (!this.lost(sent)) this.send(copy, socket.address, socket.port, to);
	}

	add(socket: LinkSocket): void {
		this.#sockets.add(socket);
	}

	remove(socket: LinkSocket): void {
		this.#sockets.delete(socket);
	}
}

class LinkSocket implements UDP {
	readonly address: string;
	readonly port: number;
	hasJoined = false;
	readonly #link: Link;
	readonly #received: Datagram[] = [];
	readonly #onReadable: UDPOptions["onReadable"];

	constructor(link: Link, address: string, { port = 50_000, onReadable }: UDPOptions) {
		this.#link = link;
		this.address = address;
		this.port = port;
		this.#onReadable = onReadable;
		link.add(this);
	}

	read(): Datagram | undefined {
		return this.#received.shift();
	}

	write(bytes: Uint8Array, address: string, port: number): void {
		this.#link.write(this, bytes, address, port);
	}

	add(group: string): void {
		this.hasJoined = group === GROUP;
	}

	close(): void {
		this.#link.remove(this);
	}

	deliver(bytes: Uint8Array, address: string, port: number): void {
		this.#received.push(Object.assign(Uint8Array.from(bytes).buffer, { address, port }));
		this.#onReadable(this.#received.length);
	}
}
