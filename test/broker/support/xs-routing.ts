import type { ListenSettings } from "../../../src/config/settings";
import { Encoder } from "../../../src/mqtt/encoder";
import { PropertyWriter } from "../../../src/mqtt/property-writer";
import { utf8 } from "../../../src/mqtt/utf8";
import { benchOnXS } from "./xs-machine";

/** Room of each socket: bytes that its peer takes at any time. */
const ROOM = 5744;

export interface Peer {
	readonly index: number;
	readonly version: 4 | 5;
	/** Bytes that the broker has yet to read. */
	input: Uint8Array;
	/** Bytes that its socket takes; undefined: as many as ever. */
	room: number | undefined;
	/** Packets received, and the answers due to them. */
	packets: number;
	answers: Uint8Array[];
}

export interface Will {
	readonly topic: string;
	readonly qos: 0 | 1 | 2;
	readonly payload: number;
}

export interface Routing {
	/** Opens a connection without sending anything. */
	accept(version: 4 | 5): Peer;
	/** Connects a client. */
	connect(version: 4 | 5, persistent?: boolean, will?: Will): Peer;
	subscribe(peer: Peer, filters: string | readonly string[], qos: 0 | 1 | 2): void;
	unsubscribe(peer: Peer, filters: readonly string[]): void;
	/** A PUBLISH of a client, as bytes. */
	publish(
		peer: Peer,
		qos: 0 | 1 | 2,
		retain: boolean,
		topic: string,
		payload: number,
		packetId?: number,
	): Uint8Array;
	/** Passes bytes to the broker, and then the answers of all peers to what it writes. */
	deliver(peer: Peer, bytes: Uint8Array): void;
	/** Passes the answers of all peers to what the broker writes, until there are no more. */
	answer(): void;
	/** The connection of a client is lost. */
	lose(peer: Peer): void;
	/** A client's socket takes so many bytes; undefined: as many as ever. */
	setRoom(peer: Peer, room: number | undefined): void;
	/** Lets time pass, ms; calls the timers that are due on the way, and passes the answers of all peers. */
	wait(ms: number): void;
	/** Computrons of the broker so far. */
	readonly computrons: number;
	/** Computrons of the longest callback since this was set to 0. */
	longestTurn: number;
	/** Slots and chunk bytes allocated so far. */
	readonly allocated: number;
	destroy(): void;
}

/** A broker on XS between clients in Node: what is counted in XS is the broker's alone. */
export async function routingOnXS(
	settings: Partial<ListenSettings> = {},
	stored = new Map<string, Uint8Array>(),
): Promise<Routing> {
	const peers: Peer[] = [];
	const encoder = new Encoder({ size: 2048 });
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
			if (peer.room === undefined) return ROOM;
			peer.room -= packet.length;
			return peer.room;
		},
		load: (key: string, buffer: Uint8Array) => {
			const value = stored.get(key);
			if (value === undefined) return -1;
			buffer.set(value);
			return value.length;
		},
		store: (key: string, value: Uint8Array) => void stored.set(key, value.slice()),
		erase: (key: string) => void stored.delete(key),
	});
	let longestTurn = 0;
	/** Calls the broker as its host does. */
	const turn = (step: number, ...values: number[]): number => {
		const before = machine.statistics.computrons;
		const result = call(step, ...values);
		longestTurn = Math.max(longestTurn, machine.statistics.computrons - before);
		return result;
	};
	call(0, JSON.stringify(settings));
	const encoderOf = ({ version }: Peer): Encoder => {
		encoder.version = version;
		encoder.reset();
		return encoder;
	};
	const send = (peer: Peer, bytes: Uint8Array): void => {
		const { input } = peer;
		peer.input = new Uint8Array(input.length + bytes.length);
		peer.input.set(input);
		peer.input.set(bytes, input.length);
		turn(2, peer.index, peer.input.length);
	};
	const answer = (): void => {
		for (let more = true; more; ) {
			more = false;
			for (const other of peers) {
				const bytes = other.answers.shift();
				if (bytes === undefined) continue;
				more = true;
				send(other, bytes);
			}
		}
	};
	const deliver = (peer: Peer, bytes: Uint8Array): void => {
		send(peer, bytes);
		answer();
	};
	const accept = (version: 4 | 5): Peer => {
		const peer: Peer = {
			index: peers.length,
			version,
			input: new Uint8Array(0),
			room: undefined,
			packets: 0,
			answers: [],
		};
		peers.push(peer);
		turn(1, ROOM);
		return peer;
	};
	const staged = (length: number): Uint8Array => encoder.view.slice(0, length);
	return {
		accept,
		connect(version, persistent = false, will = undefined) {
			const peer = accept(version);
			const properties =
				persistent && version === 5 ? new PropertyWriter(8).sessionExpiryInterval(100) : undefined;
			const length = encoderOf(peer).connect({
				clientId: utf8(`client-${peer.index}`),
				keepAlive: 60,
				cleanStart: !persistent,
				properties,
				will: will && {
					topic: utf8(will.topic),
					payload: new Uint8Array(will.payload).fill(0x35),
					qos: will.qos,
					retain: false,
				},
			});
			deliver(peer, staged(length));
			return peer;
		},
		subscribe(peer, filters, qos) {
			const list = typeof filters === "string" ? [filters] : filters;
			deliver(
				peer,
				staged(
					encoderOf(peer).subscribe(
						1,
						list.map((filter) => ({ filter: utf8(filter), options: qos })),
					),
				),
			);
		},
		unsubscribe(peer, filters) {
			deliver(peer, staged(encoderOf(peer).unsubscribe(1, filters.map(utf8))));
		},
		publish(peer, qos, retain, topic, payload, packetId = 9) {
			const flags = (qos << 1) | (retain ? 1 : 0);
			return staged(
				encoderOf(peer).publish(
					utf8(topic),
					new Uint8Array(payload).fill(0x35),
					payload,
					flags,
					qos === 0 ? 0 : packetId,
				),
			);
		},
		deliver,
		answer,
		lose: (peer) => void turn(7, peer.index),
		setRoom(peer, room) {
			peer.room = room;
			turn(6, peer.index, room ?? ROOM);
		},
		wait(ms) {
			for (;;) {
				const delay = call(3);
				if (delay < 0 || delay > ms) break;
				ms -= delay;
				call(4, delay);
				turn(5);
				answer();
			}
			call(4, ms);
		},
		get computrons() {
			return machine.statistics.computrons;
		},
		get longestTurn() {
			return longestTurn;
		},
		set longestTurn(value) {
			longestTurn = value;
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
