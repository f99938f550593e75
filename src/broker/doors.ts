import type { Listener, TCPConstructor } from "../device";
import { Connection, type ConnectionOwner, FREE } from "./connection";
import type { Core } from "./core";
import type { Patience } from "./patience";

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

	constructor(core: Core, owner: ConnectionOwner, patience: Patience) {
		this.#core = core;
		this.#owner = owner;
		this.#patience = patience;
	}

	/** Opens a port. @returns its number, from 0 @throws {Error} when the host has no listener or the port is taken */
	open(port: number, io: TCPConstructor, limit: number): number {
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
					this.#owner.enter();
					this.accept();
					this.#owner.leave();
				},
			}),
			io,
			limit,
			waiting: false,
		});
		return number;
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
			if (this.#take(this.#turn)) idle = 0;
			else idle++;
		}
		for (let i = 0; i < count; i++) if (doors[i].waiting) this.crowded = true;
	}

	close(): void {
		const doors = this.#doors;
		this.#doors = [];
		this.crowded = false;
		for (let i = 0; i < doors.length; i++) doors[i].listener.close();
	}

	/** Takes one connection; false if there is none, or no place for it. */
	#take(number: number): boolean {
		const door = this.#doors[number];
		if (!door.waiting) return false;
		const core = this.#core;
		const { connections, counters, clock, settings } = core;
		const place = this.#place(number, door.limit);
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
	#place(number: number, limit: number): number {
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
