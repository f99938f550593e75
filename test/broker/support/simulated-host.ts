import { isAddress } from "../../../sim/network/socket";
import { type VirtualHost, VirtualNetwork } from "../../../sim/network/virtual";
import type { Host } from "../../../src/broker/pool/host";
import type { StorageModule } from "../../../src/device";
import type { DeviceEvent } from "../../../src/device-events";
import { NetworkPeer } from "../../support/network-peer";
import { networkSockets } from "../../support/network-sockets";
import { VirtualClock } from "../../support/virtual-clock";

const BROKER_ADDRESS = "10.255.255.254";
/** Of clients whose address does not matter. */
const CLIENT_ADDRESS = "10.255.255.1";

/** The broker's host on the simulator's clock and network, without latency: what is sent arrives in run(). */
export class SimulatedHost implements Host {
	readonly clock = new VirtualClock();
	readonly network = new VirtualNetwork(this.clock.scheduler, { latency: 0 });
	readonly server = this.network.host(BROKER_ADDRESS);
	readonly traces: string[] = [];
	/** Lines about closed connections. */
	readonly closings: string[] = [];
	clockIsSet = true;
	/** True: close() discards what is unread and sends FIN, as sim/service does; false: as the SDK on lwIP. */
	lingeringClose = true;
	/** Whether the platform knows its clients' addresses. */
	reportsAddresses = true;
	declare readonly storage: StorageModule;
	readonly events: DeviceEvent[] = [];
	readonly tcp: Host["tcp"];
	readonly listener: NonNullable<Host["listener"]>;
	readonly timer = this.clock.timer;
	readonly time = this.clock.time;
	/** IPv6 addresses that the platform reports, by the clients' addresses on the network, which has IPv4. */
	readonly #reported = new Map<string, string>();
	#hasBlocked = false;

	constructor(storage?: StorageModule) {
		if (storage !== undefined) this.storage = storage;
		const host = this;
		const { tcp, listener } = networkSockets(this.server);
		this.listener = listener;
		this.tcp = {
			io: class extends tcp.io {
				override get remoteAddress(): string | undefined {
					const address = super.remoteAddress!;
					return host.reportsAddresses ? (host.#reported.get(address) ?? address) : undefined;
				}

				override write(buffer: Uint8Array): number | undefined {
					return host.noteBlocked(() => super.write(buffer));
				}

				override close(): void {
					if (host.lingeringClose) this.discard();
					super.close();
				}
			},
		};
	}

	get now(): number {
		return this.clock.now;
	}

	/** Number of timers that are scheduled. */
	get timers(): number {
		return this.clock.scheduledTimers;
	}

	trace(message: string): void {
		if (message.startsWith("broker: closed ")) this.closings.push(message);
		else this.traces.push(message);
	}

	event(...event: DeviceEvent): void {
		this.events.push(event);
	}

	/** Writes for the broker, which takes errors for a lost connection: a write without room fails the test. */
	noteBlocked<T>(write: () => T): T {
		try {
			return write();
		} catch (error) {
			if (error instanceof Error && error.message === "would block") this.#hasBlocked = true;
			throw error;
		}
	}

	/** Lets everything happen that is due now. */
	run(): void {
		this.advance(0);
	}

	/** Advances the clock; all that is due on the way happens. */
	advance(ms: number): void {
		this.clock.advance(ms);
		if (this.#hasBlocked) throw new Error("the broker has written more than there was room for");
	}

	/** The broker's clock goes on while nothing of it is called: timers are late afterwards. */
	stall(ms: number): void {
		this.clock.ticksOffset += ms;
	}

	/** Whether a port accepts connections. */
	accepts(port: number): boolean {
		const peer = this.connect(port);
		this.run();
		const accepted = !peer.ended;
		peer.close();
		this.run();
		return accepted;
	}

	/** Opens a connection to a port. @param address of the client, as the platform reports it */
	connect(port = 1883, address = CLIENT_ADDRESS): NetworkPeer {
		return new NetworkPeer(this.clientHost(address).connect(BROKER_ADDRESS, port));
	}

	/** The host of clients with an address. @param address as the platform reports it */
	clientHost(address = CLIENT_ADDRESS): VirtualHost {
		if (isAddress(address)) return this.network.find(address) ?? this.#addClientHost(address);
		for (const [own, reported] of this.#reported) if (reported === address) return this.network.find(own)!;
		const own = `10.254.${this.#reported.size >> 8}.${this.#reported.size & 255}`;
		this.#reported.set(own, address);
		return this.#addClientHost(own);
	}

	#addClientHost(address: string): VirtualHost {
		const host = this.network.host(address);
		host.discardsOnReset = true;
		return host;
	}
}
