/** Brokers with bridges on one virtual network, and clients of theirs. */
import { generate, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { type VirtualHost, VirtualNetwork } from "../../sim/network/virtual";
import { createBroker } from "../../src/bridge/bridged-broker";
import type { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { readSettings } from "../../src/config/settings";
import type { ListenSettings } from "../../src/config/types";
import type { Timer } from "../../src/device";
import { PowerCutStorage } from "../broker/support/power-cut-storage";
import { NetworkPeer } from "../support/network-peer";
import { networkSockets } from "../support/network-sockets";
import { VirtualClock } from "../support/virtual-clock";

const PORT = 1883;
const LATENCY_MS = 5;

export class VirtualWorld {
	readonly clock = new VirtualClock();
	readonly network = new VirtualNetwork(this.clock.scheduler, { latency: LATENCY_MS });
	#hosts = 0;

	addHost(): { readonly address: string; readonly host: VirtualHost } {
		const address = `10.0.0.${++this.#hosts}`;
		return { address, host: this.network.host(address) };
	}

	advance(ms: number): void {
		this.clock.advance(ms);
	}
}

/** A device with a broker, which can lose its power. */
export class VirtualMachine {
	readonly address: string;
	readonly traces: string[] = [];
	broker!: Broker;
	readonly #world: VirtualWorld;
	readonly host: VirtualHost;
	readonly #id: string;
	readonly #listen: Partial<ListenSettings>;
	#storage: PowerCutStorage | undefined;
	/** Counts restarts: timers and sockets of an earlier run are dead. */
	#run = 0;
	/** `config.firefly.bridge`; undefined: none. Applies at the next start. */
	bridge: object | undefined;

	/** @param id of the device, in the default client identifier of its bridge */
	constructor(world: VirtualWorld, id: string, listen: Partial<ListenSettings> = {}) {
		const { address, host } = world.addHost();
		this.#world = world;
		this.address = address;
		this.host = host;
		this.#id = id;
		this.#listen = listen;
		if (listen.persist) this.#storage = new PowerCutStorage();
	}

	start(): this {
		const run = ++this.#run;
		const isAlive = (): boolean => this.#run === run;
		const { timer } = this.#world.clock;
		const mortalTimer: Timer = {
			...timer,
			set: (callback, delay, repeat) => timer.set((id) => isAlive() && callback(id), delay, repeat),
		};
		const problems: string[] = [];
		const { bridge } = readSettings(
			{ firefly: { role: "broker", id: this.#id, ...(this.bridge && { bridge: this.bridge }) } },
			{ mac: "0123456789ab", chip: "test" },
			(message) => problems.push(message),
		);
		if (problems.length > 0) throw new Error(problems.join("\n"));
		this.broker = createBroker(
			{
				...networkSockets(this.host),
				timer: mortalTimer,
				time: this.#world.clock.time,
				resolve: (name, callback) => callback(name),
				trace: (message) => {
					if (isAlive()) this.traces.push(message);
				},
				...(this.#storage && { storage: this.#storage }),
			},
			{
				listen: {
					...defaults.listen,
					anonymous: true,
					port: PORT,
					keepAliveLimit: 0,
					persistInterval: 0,
					queuedMessages: 2000,
					queuedPerClient: 1000,
					queuedBytes: 100_000,
					...this.#listen,
				},
				...(bridge && { bridge }),
			},
			this.#id,
		);
		this.broker.start();
		return this;
	}

	/** Loses power, at once: what is not stored is gone, and no connection ends in order. */
	cutPower(): void {
		this.#run++;
		this.host.reset();
		if (this.#storage !== undefined) this.#storage = new PowerCutStorage(this.#storage.values);
	}

	/** Calls `cut` once before write number `count` to the storage from now on takes effect. */
	get storage(): PowerCutStorage | undefined {
		return this.#storage;
	}

	/** Whether it is on the network. */
	set isReachable(reachable: boolean) {
		this.host.up = reachable;
	}

	/** The value of a `$SYS` topic. */
	sys(name: string): string | undefined {
		const client = new VirtualClient(this.#world, this.address, `sys-${this.#run}`);
		client.subscribe(`$SYS/${name}`, 0);
		this.#world.advance(100);
		client.close();
		this.#world.advance(100);
		return client.messages.at(-1)?.split("=")[1];
	}
}

/** A client that acknowledges at once, with mqtt-packet. */
export class VirtualClient {
	/** "topic=payload" of each message; one of QoS 2 once its PUBREL has arrived. */
	readonly messages: string[] = [];
	readonly publishes: IPublishPacket[] = [];
	readonly connacks: Packet[] = [];
	readonly #world: VirtualWorld;
	readonly #peer: NetworkPeer;
	readonly #version: 4 | 5;
	readonly #pending = new Map<number, IPublishPacket>();
	#packetId = 0;

	constructor(
		world: VirtualWorld,
		address: string,
		clientId: string,
		version: 4 | 5 = 5,
		fields: Record<string, unknown> = {},
		host: VirtualHost = world.addHost().host,
	) {
		this.#world = world;
		this.#version = version;
		this.#peer = new NetworkPeer(host.connect(address, PORT));
		const packets = parser({ protocolVersion: version });
		packets.on("packet", (packet) => this.#onPacket(packet));
		this.#peer.onData = (bytes) => packets.parse(Buffer.from(bytes));
		this.send({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: version,
			clean: true,
			clientId,
			keepalive: 0,
			...fields,
		});
		world.advance(50);
	}

	subscribe(topic: string, qos: 0 | 1 | 2 = 2, options: Record<string, unknown> = {}): void {
		this.send({
			cmd: "subscribe",
			messageId: ++this.#packetId,
			subscriptions: [{ topic, qos, nl: false, rap: true, rh: 0, ...options }],
		});
		this.#world.advance(50);
	}

	publish(topic: string, payload: string, qos: 0 | 1 | 2 = 0, fields: Record<string, unknown> = {}): void {
		this.send({
			cmd: "publish",
			topic,
			payload,
			qos,
			dup: false,
			retain: false,
			...(qos > 0 ? { messageId: ++this.#packetId } : {}),
			...fields,
		});
	}

	send(fields: Record<string, unknown>): void {
		this.#peer.write(
			new Uint8Array(generate(fields as unknown as Packet, { protocolVersion: this.#version })),
		);
	}

	close(): void {
		this.#peer.close();
	}

	get closed(): boolean {
		return this.#peer.ended;
	}

	#onPacket(packet: Packet): void {
		switch (packet.cmd) {
			case "connack":
				this.connacks.push(packet);
				break;
			case "publish":
				if (packet.qos === 2) {
					this.#pending.set(packet.messageId!, packet);
					this.send({ cmd: "pubrec", messageId: packet.messageId });
				} else {
					this.#record(packet);
					if (packet.qos === 1) this.send({ cmd: "puback", messageId: packet.messageId });
				}
				break;
			case "pubrel": {
				const message = this.#pending.get(packet.messageId!);
				this.#pending.delete(packet.messageId!);
				if (message !== undefined) this.#record(message);
				this.send({ cmd: "pubcomp", messageId: packet.messageId });
				break;
			}
			case "pubrec":
				this.send({ cmd: "pubrel", messageId: packet.messageId });
		}
	}

	#record(packet: IPublishPacket): void {
		this.publishes.push(packet);
		this.messages.push(`${packet.topic}=${packet.payload}`);
	}
}
