import type { Listener, TCPConstructor } from "../device";
import { networkOf } from "./access/network";
import { Connection, type ConnectionOwner, FREE, OPENING } from "./connection";
import type { Core } from "./core";
import type { Patience } from "./patience";

/** Time that a connection has for its CONNECT while others wait for a place and its address has more than its share of them, ms. */
export const HASTE = 1000;
/** Pause between two looks at that, ms. */
const GLANCE = 250;

/** A port, and what its connections are read with. */
interface Door {
	readonly listener: Listener;
	readonly io: TCPConstructor;
	/** Its connections at once, at most. */
	readonly limit: number;
	/** Whether connections may wait there to be accepted. */
	waiting: boolean;
}

/** The ports on which the broker listens. Their connections share one pool: where it is used up, or a port has its share, connections wait to be accepted. */
export class Doors {
	/** Whether connections wait until a place is free. */
	crowded = false;
	readonly #core: Core;
	readonly #owner: ConnectionOwner;
	readonly #patience: Patience;
	#doors: Door[] = [];
	/** The port whose turn it is: one that is crowded must not keep others from being served. */
	#turn = 0;
	/** Not before this is looked again at who takes too many places, ms of the broker's clock. */
	#lookAt = 0;

	constructor(core: Core, owner: ConnectionOwner, patience: Patience) {
		this.#core = core;
		this.#owner = owner;
		this.#patience = patience;
	}

	/** Opens a port. @throws {Error} when the host has no listener or the port is taken */
	open(port: number, io: TCPConstructor, limit: number): void {
		const { listener } = this.#core.host;
		if (listener === undefined) throw new Error("this host cannot listen");
		const number = this.#doors.length;
		this.#doors.push({
			listener: new listener.io({
				port,
				onReadable: () => {
					const door = this.#doors[number];
					if (door === undefined) return;
					door.waiting = true;
					this.crowded = true;
					this.#owner.enter();
					this.#owner.leave(); // which lets accept() have its turn
				},
			}),
			io,
			limit,
			waiting: false,
		});
	}

	/** The port in use; 0 where there is none. */
	port(number: number): number {
		return this.#doors[number]?.listener.port ?? 0;
	}

	/** Takes connections that wait, as long as there is a place for them. */
	accept(): void {
		const doors = this.#doors;
		const count = doors.length;
		let idle = 0;
		this.crowded = false;
		while (idle < count) {
			this.#turn = (this.#turn + 1) % count;
			if (this.take(this.#turn)) idle = 0;
			else idle++;
		}
		for (let i = 0; i < count; i++) if (doors[i].waiting) this.crowded = true;
		if (this.crowded && this.#owner.addresses && !this.#owner.judging) this.hurry();
	}

	/**
	 * While others wait, one address, or one network of IPv6, can hold half of the handshakes' places until the connect time-out, and the rest for HASTE: whoever
	 * opens connections and says nothing is not to keep everybody else out. Not while a CONNECT is judged, as those of others may wait for that.
	 */
	private hurry(): void {
		const { connections, settings, clock } = this.#core;
		const { now } = clock;
		const patience = this.#patience;
		if (now < this.#lookAt) {
			patience.wake(this.#lookAt);
			return;
		}
		this.#lookAt = now + GLANCE;
		const share = Math.max(1, Math.ceil(settings.handshakes / 2));
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { state, silence, address } = connection;
			if (state !== OPENING || silence <= HASTE || address === undefined) continue;
			const network = networkOf(address);
			let others = 0;
			for (let j = 1; j < i && others < share; j++) {
				const other = connections[j]!;
				if (other.state === OPENING && other.address !== undefined && networkOf(other.address) === network) others++;
			}
			if (others < share) continue;
			if (connection.heard + HASTE <= now) connection.silence = HASTE;
			patience.wake(connection.heard + HASTE);
		}
	}

	close(): void {
		const doors = this.#doors;
		this.#doors = [];
		this.crowded = false;
		for (let i = 0; i < doors.length; i++) doors[i].listener.close();
	}

	/** Takes one connection; false if there is none, or no place for it. */
	private take(number: number): boolean {
		const door = this.#doors[number];
		if (!door.waiting) return false;
		const core = this.#core;
		const { connections, counters, clock, settings } = core;
		const place = this.place(number, door.limit);
		if (place === 0) return false;
		const tcp = door.listener.read();
		if (tcp === undefined) {
			door.waiting = false;
			return false;
		}
		counters.accepted++;
		const connection = connections[place] ?? new Connection(place, this.#owner, core.memory, settings.packetSize);
		connections[place] = connection;
		connection.door = number;
		connection.heard = clock.now;
		connection.silence = settings.connectTimeout;
		try {
			connection.adopt(tcp, door.io);
			this.#patience.watch(connection);
		} catch {
			// the peer was gone before it was its turn
			connection.close();
			try {
				tcp.close();
			} catch {
				// gone
			}
		}
		return true;
	}

	/** The first free place; 0 where there is none, or where the port has as many connections as it may. */
	private place(number: number, limit: number): number {
		const { connections, settings } = this.#core;
		const places = settings.connections + settings.handshakes;
		let place = 0;
		let open = 0;
		for (let i = places; i > 0; i--) {
			const connection = connections[i];
			if (connection === undefined || connection.state === FREE) place = i;
			else if (connection.door === number) open++;
		}
		return open < limit ? place : 0;
	}
}
