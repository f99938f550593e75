import { Encoder } from "../../../src/mqtt/encoder";
import { PropertyWriter } from "../../../src/mqtt/property-writer";
import { utf8 } from "../../../src/mqtt/utf8";
import { benchOnXS } from "./xs-machine";

/** Room of each socket: bytes that its peer takes at any time. */
const ROOM = 5744;

interface Peer {
	readonly index: number;
	readonly version: 4 | 5;
	/** Bytes that the broker has yet to read. */
	input: Uint8Array;
	/** Packets received, and the answers due to them. */
	packets: number;
	answers: Uint8Array[];
}

export interface Routing {
	/** Connects a client. */
	connect(version: 4 | 5, persistent?: boolean): Peer;
	subscribe(peer: Peer, filter: string, qos: 0 | 1 | 2): void;
	/** A PUBLISH of a client, as bytes. */
	publish(peer: Peer, qos: 0 | 1 | 2, retain: boolean, topic: string, payload: number): Uint8Array;
	/** Passes bytes to the broker, and then the answers of all peers to what it writes. */
	deliver(peer: Peer, bytes: Uint8Array): void;
	/** Lets time pass, ms. */
	wait(ms: number): void;
	/** Computrons of the broker so far. */
	readonly computrons: number;
	/** Slots and chunk bytes allocated so far. */
	readonly allocated: number;
	destroy(): void;
}

/** A broker on XS between clients in Node: what is counted in XS is the broker's alone. */
export async function routingOnXS(): Promise<Routing> {
	const peers: Peer[] = [];
	const encoder = new Encoder({ size: 1024 });
	const { machine, call } = await benchOnXS("xs-routing-bench", {
		read: (index: number, buffer: Uint8Array) => {
			const { input } = peers[index]!;
			buffer.set(input.subarray(0, buffer.length));
			peers[index]!.input = input.subarray(buffer.length);
			return buffer.length;
		},
		write: (index: number, packet: Uint8Array) => {
			const peer = peers[index]!;
			peer.packets++;
			const answer = answerTo(packet);
			if (answer !== undefined) peer.answers.push(answer);
			return ROOM;
		},
	});
	call(0);
	const encoderOf = ({ version }: Peer): Encoder => {
		encoder.version = version;
		encoder.reset();
		return encoder;
	};
	const send = (peer: Peer, bytes: Uint8Array): void => {
		peer.input = bytes;
		call(2, peer.index, bytes.length);
	};
	const deliver = (peer: Peer, bytes: Uint8Array): void => {
		send(peer, bytes);
		for (let more = true; more; ) {
			more = false;
			for (const other of peers) {
				const answer = other.answers.shift();
				if (answer === undefined) continue;
				more = true;
				send(other, answer);
			}
		}
	};
	const staged = (length: number): Uint8Array => encoder.view.slice(0, length);
	return {
		connect(version, persistent = false) {
			const peer: Peer = {
				index: peers.length,
				version,
				input: new Uint8Array(0),
				packets: 0,
				answers: [],
			};
			peers.push(peer);
			call(1, ROOM);
			const properties =
				persistent && version === 5 ? new PropertyWriter(8).sessionExpiryInterval(100) : undefined;
			const length = encoderOf(peer).connect({
				clientId: utf8(`client-${peer.index}`),
				keepAlive: 60,
				cleanStart: !persistent,
				properties,
			});
			deliver(peer, staged(length));
			return peer;
		},
		subscribe(peer, filter, qos) {
			deliver(peer, staged(encoderOf(peer).subscribe(1, [{ filter: utf8(filter), options: qos }])));
		},
		publish(peer, qos, retain, topic, payload) {
			const flags = (qos << 1) | (retain ? 1 : 0);
			return staged(
				encoderOf(peer).publish(
					utf8(topic),
					new Uint8Array(payload).fill(0x35),
					payload,
					flags,
					qos === 0 ? 0 : 9,
				),
			);
		},
		deliver,
		wait: (ms) => call(3, ms),
		get computrons() {
			return machine.statistics.computrons;
		},
		get allocated() {
			const { slots, chunks } = machine.statistics;
			return slots.allocated + chunks.allocated;
		},
		destroy: () => machine.destroy(),
	};
}

/** The answer of a client to a packet; undefined if none is due. */
function answerTo(packet: Uint8Array): Uint8Array | undefined {
	const first = packet[0];
	switch (first >> 4) {
		case 3: {
			if ((first & 6) === 0) return undefined;
			const topic = packet[1] > 127 ? 3 : 2;
			const at = topic + 2 + ((packet[topic] << 8) | packet[topic + 1]);
			return Uint8Array.of((first & 6) === 2 ? 0x40 : 0x50, 2, packet[at], packet[at + 1]);
		}
		case 5:
			return Uint8Array.of(0x62, 2, packet[2], packet[3]);
		case 6:
			return Uint8Array.of(0x70, 2, packet[2], packet[3]);
		default:
			return undefined;
	}
}
