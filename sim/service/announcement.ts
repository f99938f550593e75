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

/** Between two looks at this machine's addresses, ms: a laptop moves from network to network. */
const ADDRESS_INTERVAL_MS = 5000;

/**
 * Announces a broker of this machine by Multicast DNS, on each of its networks with the address that it has
 * there; on the loopback only where there is no network.
 */
export class BrokerAnnouncement {
	readonly #ports: Ports;
	readonly #options: AnnouncementOptions;
	/** By address. */
	readonly #announcers = new Map<string, Announcer>();
	readonly #timer: NodeJS.Timeout;
	#hasFailed = false;

	constructor(ports: Ports, options: AnnouncementOptions) {
		this.#ports = ports;
		this.#options = options;
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
		const served = ipv4Interfaces().filter(({ address }) => addresses?.includes(address) ?? true);
		const external = served.filter(({ internal }) => !internal);
		return external.length > 0 ? external : served.slice(0, 1);
	}

	#start({ address, netmask }: NetworkInterface): void {
		const { host, instance, announced } = this.#options;
		const announcer = new Announcer(
			{
				timer: nodeTimer,
				time: nodeTime,
				udp: { io: multicastSockets(address, (error) => this.#onFailed(address, error)) },
			},
			{
				host,
				instance,
				services: servicesOf(this.#ports),
				sharesPort: true,
				onAnnounced: (name) => announced(`mqtt://${name}.local:${this.#ports.mqtt}`, address),
			},
		);
		this.#announcers.set(address, announcer);
		announcer.start(ipv4(address), ipv4(netmask));
	}

	/** The broker serves without it. */
	#onFailed(address: string, error: Error): void {
		if (!this.#hasFailed) this.#options.trace(`not announced on ${address}: ${error.message}`);
		this.#hasFailed = true;
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
