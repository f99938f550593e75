/** What the page wants to know of its MQTT session. */
export interface SessionEvents {
	/** The broker has let the page in; values follow. */
	onOpen(): void;
	onMessage(topic: Uint8Array, payload: Uint8Array, retained: boolean): void;
	/** The connection has ended, or none came about. @param code of CONNACK if it refused, else 0 */
	onClosed(code: number): void;
}

const CONNACK = 2;
const PUBLISH = 3;
const KEEP_ALIVE_SECONDS = 60;
const encoder = new TextEncoder();

/**
 * A session of MQTT 3.1.1 over WebSocket that reads with QoS 0.
 * @param user absent: anonymous
 * @returns ends it, without events
 */
export function openSession(
	url: string,
	filters: readonly string[],
	user: string | undefined,
	password: string,
	events: SessionEvents,
): () => void {
	const socket = new WebSocket(url, "mqtt");
	socket.binaryType = "arraybuffer";
	let received = new Uint8Array(0);
	let refusal = 0;
	let timer = 0;
	const end = (): void => {
		clearInterval(timer);
		socket.onclose = null;
		socket.onmessage = null;
		socket.close();
	};
	socket.onopen = () => socket.send(connectPacket(user, password));
	socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
		received = new Uint8Array([...received, ...new Uint8Array(data)]);
		for (let size = packetSize(received); size > 0; size = packetSize(received)) {
			handle(received.subarray(0, size));
			received = received.slice(size);
		}
	};
	socket.onclose = () => {
		clearInterval(timer);
		events.onClosed(refusal);
	};
	const handle = (packet: Uint8Array): void => {
		const type = packet[0]! >> 4;
		if (type === CONNACK) {
			refusal = packet[3]!;
			if (refusal !== 0) return;
			socket.send(subscribePacket(filters));
			timer = setInterval(() => socket.send(new Uint8Array([0xc0, 0])), (KEEP_ALIVE_SECONDS * 1000) / 2);
			events.onOpen();
		} else if (type === PUBLISH) {
			const start = headerSize(packet) + 2;
			const topicEnd = start + (packet[start - 2]! << 8) + packet[start - 1]!;
			events.onMessage(packet.slice(start, topicEnd), packet.slice(topicEnd), (packet[0]! & 1) === 1);
		}
	};
	return end;
}

/** CONNECT: clean session, an identifier of this visit, user and password. */
function connectPacket(user: string | undefined, password: string): Uint8Array<ArrayBuffer> {
	const random = Math.random().toString(36).slice(2);
	const flags = user === undefined ? 2 : 0xc2;
	const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, KEEP_ALIVE_SECONDS, ...text(`page-${random}`)];
	if (user !== undefined) body.push(...text(user), ...text(password));
	return packet(0x10, body);
}

/** SUBSCRIBE with packet identifier 1 and QoS 0. */
function subscribePacket(filters: readonly string[]): Uint8Array<ArrayBuffer> {
	return packet(0x82, [0, 1, ...filters.flatMap((filter) => [...text(filter), 0])]);
}

function packet(type: number, body: readonly number[]): Uint8Array<ArrayBuffer> {
	const header = [type];
	for (let rest = body.length; ; rest >>= 7) {
		if (rest < 128) {
			header.push(rest);
			break;
		}
		header.push((rest & 127) | 128);
	}
	return new Uint8Array([...header, ...body]);
}

function text(value: string): number[] {
	const bytes = encoder.encode(value);
	return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

/** Bytes of the first packet; 0: it is not complete. */
function packetSize(bytes: Uint8Array): number {
	let length = 0;
	for (let i = 1; i < bytes.length && i < 5; i++) {
		length += (bytes[i]! & 127) << (7 * (i - 1));
		if (bytes[i]! < 128) return bytes.length >= i + 1 + length ? i + 1 + length : 0;
	}
	return 0;
}

/** Bytes of the fixed header. */
function headerSize(packet: Uint8Array): number {
	let size = 2;
	while (packet[size - 1]! >= 128) size++;
	return size;
}
