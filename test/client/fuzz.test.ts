import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

const HOUR = 3_600_000;

/** Splits the stream at these places. */
function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
	const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
	return [0, ...places]
		.map((from, index) => bytes.slice(from, places[index] ?? bytes.length))
		.filter(({ length }) => length > 0);
}

const packet = (version: 4 | 5): fc.Arbitrary<Packet> =>
	fc.oneof(
		fc.record({
			cmd: fc.constant("publish" as const),
			topic: fc.constantFrom("a", "set/interval"),
			payload: fc.string({ maxLength: 700 }),
			qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
			messageId: fc.integer({ min: 1, max: 20 }),
			dup: fc.constant(false),
			retain: fc.boolean(),
		}),
		fc.record({
			cmd: fc.constant("puback" as const),
			messageId: fc.integer({ min: 1, max: 5 }),
			reasonCode: fc.constant(0),
		}),
		fc.record({
			cmd: fc.constant("pubrel" as const),
			messageId: fc.integer({ min: 1, max: 20 }),
			reasonCode: fc.constant(version === 5 ? 0x92 : 0),
		}),
		fc.record({ cmd: fc.constant("pingresp" as const) }),
	);

/** A connection whose broker sends the pieces of `stream`, one each `gapMs`, instead of proper answers. */
function sendStream(
	version: 4 | 5,
	stream: readonly Uint8Array[],
	gapMs: number,
	end: boolean,
): { node: RecordingClient; network: VirtualNetwork; broker: ScriptedBroker } {
	const network = new VirtualNetwork({ latency: 5 });
	let started = false;
	const broker = new ScriptedBroker(network, 1883, {
		version,
		answer: (_packet, connection) => {
			if (!started) {
				started = true;
				let at = 0;
				for (const piece of stream) {
					at += gapMs;
					network.clock.after(at, () => connection.peer.write(piece));
				}
				// The connection ends only after the last answer has arrived.
				if (end) network.clock.after(at + 100, () => connection.end());
			}
			return true;
		},
	});
	const node: RecordingClient = new RecordingClient({ version, receiveBuffer: 256 }, network.device, {
		onWritable: () => void node.publish("1", QOS1),
	});
	node.open();
	assert.ok(network.clock.run(HOUR), "it ends by itself");
	return { node, network, broker };
}

const connack = { 4: Uint8Array.of(0x20, 2, 0, 0), 5: Uint8Array.of(0x20, 3, 0, 0, 0) };

for (const version of [4, 5] as const)
	describe(`any bytes from the broker, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		test("random bytes end in one onClosed, and nothing stays open", () => {
			fc.assert(
				fc.property(
					fc.uint8Array({ maxLength: 400 }),
					fc.array(fc.nat(500), { maxLength: 8 }),
					fc.nat(50),
					fc.boolean(),
					fc.boolean(),
					(bytes, cuts, gapMs, withConnack, end) => {
						const stream = [...(withConnack ? [connack[version]] : []), ...splitAt(bytes, cuts)];
						const { node, network } = sendStream(version, stream, gapMs, end);
						assert.equal(node.closed.length, 1);
						assert.ok(node.error !== undefined);
						assert.equal(node.client.state, "closed");
						assert.ok(network.clock.isIdle);
					},
				),
				{ numRuns: 300 },
			);
		});

		test("packets with one changed byte end in one onClosed", () => {
			fc.assert(
				fc.property(
					fc.array(packet(version), { minLength: 1, maxLength: 6 }),
					fc.nat(),
					fc.nat(255),
					fc.array(fc.nat(3000), { maxLength: 8 }),
					(packets, place, value, cuts) => {
						const bytes = Buffer.concat(packets.map((each) => generate(each, { protocolVersion: version })));
						bytes[place % bytes.length] = value;
						const { node } = sendStream(version, [connack[version], ...splitAt(bytes, cuts)], 1, true);
						assert.equal(node.closed.length, 1);
					},
				),
				{ numRuns: 200 },
			);
		});

		test("callbacks do not depend on how the stream is split", () => {
			const recordedCallbacks = (stream: readonly Uint8Array[]): unknown => {
				const { node, broker } = sendStream(version, stream, 1, true);
				return {
					messages: node.messages.map(({ topic, payload, qos }) => ({ topic, payload, qos })),
					acknowledged: node.acknowledged.map(({ packetId }) => packetId),
					answers: broker.packets.slice(2).map(({ cmd, messageId }) => [cmd, messageId]),
					error: node.error?.message,
				};
			};
			fc.assert(
				fc.property(
					fc.array(
						packet(version).filter(({ cmd }) => cmd !== "pingresp"),
						{ minLength: 1, maxLength: 8 },
					),
					fc.array(fc.nat(6000), { maxLength: 30 }),
					(packets, cuts) => {
						const bytes = new Uint8Array(
							Buffer.concat([
								connack[version],
								...packets.map((each) => generate(each, { protocolVersion: version })),
							]),
						);
						assert.deepEqual(recordedCallbacks(splitAt(bytes, cuts)), recordedCallbacks([bytes]));
					},
				),
				{ numRuns: 200 },
			);
		});
	});
