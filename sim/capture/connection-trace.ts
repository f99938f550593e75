import { PacketStream } from "./packet-stream";
import { type ConnectionTap, type SegmentTap, SYN } from "./tap";
import type { Sender, TracedPacket } from "./traced-packet";
import { WebSocketStream } from "./web-socket-stream";

/** The first byte of a request GET, and of no packet that a client sends first. */
const HTTP_GET = 0x47;

/** Decodes both directions of a connection of MQTT, or of MQTT over WebSocket. */
export class ConnectionTrace implements ConnectionTap {
	readonly client: SegmentTap;
	readonly server: SegmentTap;
	readonly #emit: (packet: TracedPacket) => void;
	#clientId: string | undefined;
	readonly #packets: Readonly<Record<Sender, PacketStream>>;
	#frames: Readonly<Record<Sender, WebSocketStream>> | undefined;
	#started = false;

	constructor(emit: (packet: TracedPacket) => void) {
		this.#emit = (packet) => {
			emit(this.#clientId === undefined ? packet : { ...packet, clientId: this.#clientId });
			this.#learnClientId(packet);
		};
		this.#packets = {
			client: new PacketStream("client", this.#emit),
			broker: new PacketStream("broker", this.#emit),
		};
		this.client = orderedSegments((bytes) => this.#push("client", bytes));
		this.server = orderedSegments((bytes) => this.#push("broker", bytes));
	}

	#learnClientId({ connect, properties }: TracedPacket): void {
		const clientId = connect?.clientId ?? properties?.assignedClientIdentifier;
		if (typeof clientId === "string" && clientId !== "") this.#clientId = clientId;
	}

	#push(sender: Sender, bytes: Uint8Array): void {
		if (!this.#started) this.#start(sender, bytes);
		if (this.#frames) this.#frames[sender].push(bytes);
		else this.#decode(sender, bytes);
	}

	#start(sender: Sender, bytes: Uint8Array): void {
		this.#started = true;
		if (sender !== "client" || bytes[0] !== HTTP_GET) return;
		const unwrap = (from: Sender): WebSocketStream =>
			new WebSocketStream(from, this.#emit, (content) => this.#decode(from, content));
		this.#frames = { client: unwrap("client"), broker: unwrap("broker") };
	}

	#decode(sender: Sender, bytes: Uint8Array): void {
		const packets = this.#packets;
		// The version in CONNECT is that of both directions.
		if (sender === "broker") packets.broker.version = packets.client.version;
		packets[sender].push(bytes);
	}
}

/** Passes each byte of a stream on once, although segments may be sent repeatedly. */
function orderedSegments(push: (bytes: Uint8Array) => void): SegmentTap {
	let expected = 0;
	return {
		segment(flags, position, bytes) {
			const known = expected - position;
			if (flags & SYN || known < 0 || known >= bytes.length) return;
			expected = position + bytes.length;
			push(known === 0 ? bytes : bytes.subarray(known));
		},
	};
}
