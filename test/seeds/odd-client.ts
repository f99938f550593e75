import { generate, type Packet } from "mqtt-packet";
import type { Scheduled, Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import type { VirtualHost } from "../../sim/network/virtual";
import { Draw } from "./draw";
import { damagedPacket, OVERSIZED, PINGREQ, subscribingPacket } from "./hostile-packets";
import type { OddClientKind } from "./odd-client-kinds";
import { PlaceProbe } from "./place-probe";
import { BROKER_ADDRESS, LOGINS, type OddClientPlan } from "./seed-plan";

/** Kinds whose sessions end with their connections. */
const ENDS_SESSION: ReadonlySet<OddClientKind> = new Set([
	"flooding",
	"unreleased",
	"impostor",
	"malformed",
	"restless",
	"oversized",
	"deaf",
]);
/** Client identifiers of the well-behaved clients and of nodes: different users'. */
const CLIENT_IDS = ["subscriber", "publisher"] as const;
const NODE_IDS = ["n1", "n2"] as const;
const EVERYTHING = "#";
const PORT = 1883;

interface OddConnection {
	readonly socket: HostSocket;
	room: number;
	open: boolean;
}

/** One neighbour that misbehaves in its own way, on a host of its own. */
export class OddClient {
	readonly #scheduler: Scheduler;
	readonly #host: VirtualHost;
	readonly #plan: OddClientPlan;
	readonly #draw: Draw;
	readonly #version: 4 | 5;
	readonly #connections = new Set<OddConnection>();
	#turn: Scheduled | undefined;
	#sessions = 0;
	#stopped = false;

	constructor(scheduler: Scheduler, host: VirtualHost, plan: OddClientPlan, seed: number, label: string) {
		this.#scheduler = scheduler;
		this.#host = host;
		this.#plan = plan;
		this.#draw = new Draw(seed, label);
		this.#version = this.#draw.pick([4, 5]);
	}

	start(): void {
		this.#scheduler.after(this.#plan.at, () => this.#act());
		this.#scheduler.after(this.#plan.at + this.#plan.duration, () => this.#stop());
	}

	/** Does what it does once, and comes back. */
	#act(): void {
		if (this.#stopped) return;
		this.#turn = this.#scheduler.after(this.#once(), () => this.#act());
	}

	/** @returns ms until the next time */
	#once(): number {
		const draw = this.#draw;
		switch (this.#plan.kind) {
			case "slow":
				if (this.#connections.size === 0) this.#connect("slow", true, (connection) => this.#sip(connection));
				return 5000;
			case "frozen":
				if (this.#connections.size < 2) this.#connect(`frozen${this.#connections.size}`, true, () => {});
				return 10_000;
			case "flooding":
				if (this.#connections.size === 0) this.#connect("flood", false, discard);
				for (const connection of this.#connections) this.#flood(connection);
				return 250;
			case "half-open":
				this.#host.reset();
				this.#connections.clear();
				this.#connect("vanishing", true, discard);
				return draw.integer(1000, 20_000);
			case "silent":
				for (let i = draw.integer(1, 4); i > 0; i--) this.#open(() => {}, discard);
				return draw.integer(500, 5000);
			case "garbage":
				this.#open((connection) => this.#write(connection, draw.bytes(draw.integer(1, 40))), discard);
				return draw.integer(500, 5000);
			case "halting": {
				const whole = this.#connectPacket("halting", true);
				this.#open((connection) => {
					if (draw.chance(0.5)) this.#write(connection, whole.subarray(0, whole.length >> 1));
					else this.#write(connection, Buffer.concat([whole, Buffer.from([0x30, 0x7f, 0, 1, 0x61])]));
				}, discard);
				return draw.integer(2000, 8000);
			}
			case "impatient":
				this.#connect("impatient", true, discard);
				return draw.integer(1, 2000);
			case "unreleased": {
				const connection = this.#connect(`unreleased${this.#sessions++}`, false, discard);
				this.#scheduler.after(400, () => this.#publishUnreleased(connection));
				this.#scheduler.after(1000, () => this.#close(connection));
				return draw.integer(1500, 8000);
			}
			case "impostor":
				this.#connect(draw.pick(isUserOfNodes(this.#plan) ? CLIENT_IDS : NODE_IDS), true, discard);
				return draw.integer(200, 3000);
			case "malformed": {
				const connection = this.#connect(`malformed${this.#sessions++}`, false, discard);
				this.#scheduler.after(400, () => {
					for (let i = 0; i < 4; i++) this.#write(connection, damagedPacket(draw, this.#version));
				});
				return draw.integer(500, 3000);
			}
			case "restless":
				if (this.#connections.size === 0) this.#connect("restless", false, discard);
				for (const connection of this.#connections)
					for (let i = 1; i <= 10; i++) this.#write(connection, subscribingPacket(draw, this.#version, i));
				return 250;
			case "oversized":
				if (this.#connections.size === 0) this.#connect("oversized", false, discard);
				for (const connection of this.#connections) this.#write(connection, OVERSIZED);
				return draw.integer(100, 1000);
			case "deaf":
				if (this.#connections.size === 0) this.#connect("deaf", true, () => {});
				for (const connection of this.#connections) {
					this.#flood(connection);
					for (let i = 0; i < 10; i++) this.#write(connection, PINGREQ);
				}
				return 250;
			case "hoarding": {
				const connection = this.#connect(`hoard${this.#sessions++}`, true, discard);
				this.#scheduler.after(500, () => this.#close(connection));
				return draw.integer(800, 4000);
			}
		}
	}

	/** Opens a connection, and begins a session on it. */
	#connect(
		clientId: string,
		subscribes: boolean,
		onReadable: (connection: OddConnection, bytes: number) => void,
	): OddConnection {
		return this.#open((connection) => {
			this.#write(connection, this.#connectPacket(clientId, !ENDS_SESSION.has(this.#plan.kind)));
			if (!subscribes) return;
			const topics = this.#plan.kind === "hoarding" ? ["a", "a/b", `${clientId}/#`] : [EVERYTHING];
			this.#write(
				connection,
				this.#encode({
					cmd: "subscribe",
					messageId: 1,
					subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })),
				}),
			);
		}, onReadable);
	}

	#connectPacket(clientId: string, lasting: boolean): Buffer {
		const { login, kind } = this.#plan;
		return this.#encode({
			cmd: "connect",
			clientId,
			clean: !lasting,
			// A broker cannot limit the silence of an MQTT 3.1.1 client, whose connection may be dead.
			keepalive: kind === "half-open" ? 10 : this.#version === 5 ? 0 : 60,
			protocolId: "MQTT",
			protocolVersion: this.#version,
			...(login === undefined ? {} : { username: login[0], password: Buffer.from(login[1]) }),
			...(this.#version === 5 && lasting ? { properties: { sessionExpiryInterval: 300 } } : {}),
			...(kind === "half-open"
				? { will: { topic: "noise/will", payload: Buffer.from("gone"), qos: 1, retain: false } }
				: {}),
		});
	}

	#encode(packet: Packet): Buffer {
		return generate(packet, { protocolVersion: this.#version });
	}

	#open(
		onOpen: (connection: OddConnection) => void,
		onReadable: (connection: OddConnection, bytes: number) => void,
	): OddConnection {
		const socket = this.#host.connect(BROKER_ADDRESS, PORT);
		const connection: OddConnection = { socket, room: 0, open: false };
		this.#connections.add(connection);
		socket.handler = {
			writable: (room) => {
				connection.room = room;
				if (connection.open) return;
				connection.open = true;
				onOpen(connection);
			},
			readable: (bytes) => onReadable(connection, bytes),
			failed: () => this.#close(connection),
		};
		return connection;
	}

	#write(connection: OddConnection, bytes: Uint8Array): void {
		if (!connection.open || bytes.length > connection.room) return;
		try {
			connection.room = connection.socket.write(bytes) ?? 0;
		} catch {
			// It has ended, and says so only to those who read what has arrived before
			this.#close(connection);
		}
	}

	/** Reads a little, and again later. */
	#sip(connection: OddConnection): void {
		if (!this.#connections.has(connection)) return;
		try {
			connection.socket.read(new Uint8Array(1 + this.#draw.integer(0, 7)));
		} catch {
			connection.socket.read(new Uint8Array(1));
		}
		this.#scheduler.after(300, () => this.#sip(connection));
	}

	#flood(connection: OddConnection): void {
		for (let i = 0; i < 30; i++)
			this.#write(
				connection,
				this.#encode({
					cmd: "publish",
					topic: `noise/${i % 3}`,
					payload: "x".repeat(this.#draw.integer(0, 60)),
					qos: (i % 2) as 0 | 1,
					messageId: i + 1,
					dup: false,
					retain: false,
				}),
			);
	}

	#publishUnreleased(connection: OddConnection): void {
		if (!this.#connections.has(connection)) return;
		for (let messageId = 1; messageId <= PlaceProbe.MESSAGES; messageId++)
			this.#write(
				connection,
				this.#encode({
					cmd: "publish",
					topic: "noise/unreleased",
					payload: "x",
					qos: 2,
					messageId,
					dup: false,
					retain: false,
				}),
			);
	}

	#close(connection: OddConnection): void {
		if (this.#connections.delete(connection)) connection.socket.close();
	}

	/** Ends all that it has: orderly, or as if its power were lost. */
	#stop(): void {
		this.#stopped = true;
		this.#scheduler.cancel(this.#turn);
		if (this.#draw.chance(0.5)) this.#host.reset();
		else for (const connection of [...this.#connections]) this.#close(connection);
		this.#connections.clear();
	}
}

function isUserOfNodes({ login }: OddClientPlan): boolean {
	return login?.[0] === LOGINS[0][0];
}

function discard({ socket }: OddConnection, bytes: number): void {
	socket.read(new Uint8Array(bytes));
}
