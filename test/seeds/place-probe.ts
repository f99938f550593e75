import { generate, type Packet, parser } from "mqtt-packet";
import type { Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import type { VirtualHost } from "../../sim/network/virtual";

/** Name of {@link PlaceProbe.missing} among the values of the pools. */
export const MISSING_MESSAGES = "(messages that a new session swallows)";

/**
 * Fills every place of the broker's sessions with a new session, one after the other. Each publishes to
 * itself with QoS 2: what an earlier session in its place has left behind, such as packet identifiers that
 * were never released, would swallow a message. It uses mqtt-packet, which shares no code with the code under
 * test.
 */
export class PlaceProbe {
	/** QoS 2 messages of each session, with the packet identifiers 1 …. */
	static readonly MESSAGES = 4;
	/** For each session, ms. */
	static readonly PLACE_MS = 3000;
	/** Messages that have not arrived, in all. */
	missing = 0;
	readonly #scheduler: Scheduler;
	readonly #host: VirtualHost;
	readonly #address: string;
	readonly #places: number;
	readonly #login: readonly [string, string] | undefined;

	/** @param places sessions that the broker has room for */
	constructor(
		scheduler: Scheduler,
		host: VirtualHost,
		address: string,
		places: number,
		login: readonly [string, string] | undefined,
	) {
		this.#scheduler = scheduler;
		this.#host = host;
		this.#address = address;
		this.#places = places;
		this.#login = login;
	}

	/** From its start until {@link missing} is known, ms. */
	get duration(): number {
		return (this.#places + 1) * PlaceProbe.PLACE_MS;
	}

	start(): void {
		for (let place = 0; place < this.#places; place++)
			this.#scheduler.after(place * PlaceProbe.PLACE_MS, () => this.#visit(`place${place}`));
	}

	#visit(clientId: string): void {
		const { MESSAGES } = PlaceProbe;
		const socket = this.#host.connect(this.#address, 1883);
		const write = (packet: Packet): void => void socket.write(generate(packet));
		let arrived = 0;
		const decoder = parser({ protocolVersion: 4 });
		decoder.on("packet", (packet: Packet) => {
			if (packet.cmd === "connack")
				write({ cmd: "subscribe", messageId: 1000, subscriptions: [{ topic: clientId, qos: 0 }] });
			else if (packet.cmd === "suback")
				for (let messageId = 1; messageId <= MESSAGES; messageId++)
					write({
						cmd: "publish",
						topic: clientId,
						payload: String(messageId),
						qos: 2,
						messageId,
						dup: false,
						retain: false,
					});
			else if (packet.cmd === "pubrec") write({ cmd: "pubrel", messageId: packet.messageId! });
			else if (packet.cmd === "publish") arrived++;
		});
		const login = this.#login;
		socket.handler = {
			writable: onceOnly(() =>
				write({
					cmd: "connect",
					clientId,
					// Its session stays, so that the next one gets another place.
					clean: false,
					keepalive: 60,
					protocolId: "MQTT",
					protocolVersion: 4,
					...(login === undefined ? {} : { username: login[0], password: Buffer.from(login[1]) }),
				}),
			),
			readable: (bytes) => decoder.parse(received(socket, bytes)),
			failed: () => {},
		};
		this.#scheduler.after(PlaceProbe.PLACE_MS - 100, () => {
			this.missing += MESSAGES - arrived;
			socket.close();
		});
	}
}

function onceOnly(action: () => void): () => void {
	let called = false;
	return () => {
		if (called) return;
		called = true;
		action();
	};
}

function received(socket: HostSocket, bytes: number): Buffer {
	const buffer = Buffer.alloc(bytes);
	const count = socket.read(buffer) ?? 0;
	return buffer.subarray(0, count);
}
