import type { UDPConstructor } from "../../src/device";
import { Announcer } from "../../src/mdns/announcer";
import { ipv4 } from "../../src/mdns/ipv4";
import type { Service } from "../../src/mdns/records";
import { ipv4Interfaces, multicastSockets, type NetworkInterface } from "../network/multicast";
import { nodeTime, nodeTimer } from "./node-timer";
import type { AnnounceOptions, Ports } from "./service";

export interface AnnouncementOptions extends AnnounceOptions {
	/** Name of the broker, for people. */
	readonly instance: string;
	/** A message for the user. */
	trace(message: string): void;
}

/** What an announcement needs of this machine. */
export interface AnnouncementNetwork {
	interfaces(): readonly NetworkInterface[];
	/** @see multicastSockets */
	sockets(address: string, failed: (error: Error) => void): UDPConstructor;
}

const machineNetwork: AnnouncementNetwork = { interfaces: ipv4Interfaces, sockets: multicastSockets };

/**
 * Between two looks at this machine's addresses, ms: a laptop moves from network to network. What has
 * failed is tried again then too.
 */
const ADDRESS_INTERVAL_MS = 5000;

/**
 * Announces a broker of this machine by Multicast DNS, on each of its networks with an address that it has
 * there; on the loopback only where there is no network.
 */
export class BrokerAnnouncement {
	readonly #ports: Ports;
	readonly #options: AnnouncementOptions;
	readonly #network: AnnouncementNetwork;
	/** By address. */
	readonly #announcers = new Map<string, Announcer>();
	/** Addresses whose failure the user knows. */
	readonly #failed = new Set<string>();
	readonly #timer: NodeJS.Timeout;

	constructor(ports: Ports, options: AnnouncementOptions, network: AnnouncementNetwork = machineNetwork) {
		this.#ports = ports;
		this.#options = options;
		this.#network = network;
		this.#timer = setInterval(() => this.#update(), ADDRESS_INTERVAL_MS);
		this.#timer.unref();
		this.#update();
	}

	/** Says goodbye. */
	stop(): void {
		clearInterval(this.#timer);
		for (const announcer of this.#announcers.values()) announcer.stop();
		this.#announcers.clear();
	}

	#update(): void {
		const interfaces = this.#interfaces();
		for (const [address, announcer] of this.#announcers)
			if (!interfaces.some((present) => present.address === address)) {
				announcer.stop();
				this.#announcers.delete(address);
			}
		for (const present of interfaces) if (!this.#announcers.has(present.address)) this.#start(present);
	}

	/** Those that the broker can be reached at. */
	#interfaces(): readonly NetworkInterface[] {
		const { addresses } = this.#ports;
		const served = this.#network.interfaces().filter(({ address }) => addresses?.includes(address) ?? true);
		const external = served.filter(({ internal }) => !internal);
		return external.length > 0 ? this.#onePerNetwork(external) : served.slice(0, 1);
	}

	/**
	 * Two addresses in one network, by cable and by Wi-Fi, would contend for the name: the one that has it
	 * keeps it.
	 */
	#onePerNetwork(interfaces: readonly NetworkInterface[]): readonly NetworkInterface[] {
		const isAnnounced = ({ address }: NetworkInterface): number => Number(this.#announcers.has(address));
		const networks = new Set<string>();
		return interfaces
			.toSorted((a, b) => isAnnounced(b) - isAnnounced(a))
			.filter(({ address, netmask }) => {
				const network = `${ipv4(address) & ipv4(netmask)}/${netmask}`;
				return !networks.has(network) && networks.add(network);
			});
	}

	#start({ address, netmask }: NetworkInterface): void {
		const { host, instance, announced } = this.#options;
		const announcer = new Announcer(
			{
				timer: nodeTimer,
				time: nodeTime,
				udp: { io: this.#network.sockets(address, (error) => this.#onFailed(address, error)) },
			},
			{
				host,
				instance,
				services: servicesOf(this.#ports),
				sharesPort: true,
				onAnnounced: (name) => {
					this.#failed.delete(address);
					announced(`mqtt://${name}.local:${this.#ports.mqtt}`, address);
				},
			},
		);
		this.#announcers.set(address, announcer);
		announcer.start(ipv4(address), ipv4(netmask));
	}

	/** The broker serves without it, until a later try. */
	#onFailed(address: string, error: Error): void {
		this.#announcers.get(address)?.stop();
		this.#announcers.delete(address);
		if (!this.#failed.has(address)) this.#options.trace(`not announced on ${address}: ${error.message}`);
		this.#failed.add(address);
	}
}

/** RFC 6763 §4; types as registered with IANA. */
function servicesOf({ mqtt, mqtts, webSocket }: Ports): readonly Service[] {
	return [
		{ type: "_mqtt._tcp", port: mqtt },
		...(mqtts === undefined ? [] : [{ type: "_secure-mqtt._tcp", port: mqtts }]),
		...(webSocket === undefined ? [] : [{ type: "_http._tcp", port: webSocket, text: "path=/" }]),
	];
}
