/**
 * Encoding and decoding against mqtt-packet, the same messages in one run:
 * `node --import tsx bench/mqtt/codec.ts`.
 */
import mqtt from "mqtt-packet";
import { Decoder } from "../../src/mqtt/decoder";
import { Encoder } from "../../src/mqtt/encoder";
import { compare, heading, row } from "./compare";
import { type BenchMessage, messages } from "./messages";

let sink = 0;

function encode(message: BenchMessage, batch: number): (times: number) => void {
	const { topic, payload, flags, packetId, properties, version } = message;
	const encoder = new Encoder({ size: batch * message.raw.length, version });
	return (times) => {
		for (let i = 0; i < times; i += batch) {
			for (let j = 0; j < batch; j++)
				encoder.publish(topic, payload, payload.length, flags, packetId, properties);
			sink += encoder.seal().length;
			encoder.reset();
		}
	};
}

function generate({ packet, version }: BenchMessage): (times: number) => void {
	const options = { protocolVersion: version };
	return (times) => {
		for (let i = 0; i < times; i++) sink += mqtt.generate(packet, options).length;
	};
}

/** A chunk of equal messages, and their number. */
function chunk(message: BenchMessage): { bytes: Buffer; count: number } {
	const count = 20;
	return { bytes: Buffer.concat(new Array<Buffer>(count).fill(message.raw)), count };
}

function decode(message: BenchMessage, split: number): (times: number) => void {
	const { bytes, count } = chunk(message);
	const decoder = new Decoder({
		size: 512,
		from: "broker",
		version: message.version,
		handler: {
			onPacket() {},
			onPublish(packet) {
				sink += packet.packetId;
			},
			onPayload(_bytes, start, end) {
				sink += end - start;
			},
			onError(_code, message) {
				throw new Error(message);
			},
		},
	});
	return (times) => {
		for (let i = 0; i < times; i += count)
			for (let at = 0; at < bytes.length; at += split)
				decoder.push(bytes, at, Math.min(at + split, bytes.length));
	};
}

function parse(message: BenchMessage, split: number): (times: number) => void {
	const { bytes, count } = chunk(message);
	const parser = mqtt.parser({ protocolVersion: message.version });
	parser.on("packet", (packet) => {
		if (packet.cmd === "publish") sink += packet.payload.length;
	});
	return (times) => {
		for (let i = 0; i < times; i += count)
			for (let at = 0; at < bytes.length; at += split)
				parser.parse(bytes.subarray(at, Math.min(at + split, bytes.length)));
	};
}

heading("encode a PUBLISH");
for (const message of messages) {
	row(message.name, compare(encode(message, 1), generate(message)));
	row("  … 10 in a flight", compare(encode(message, 10), generate(message)));
}
heading("decode a PUBLISH");
for (const message of messages) {
	row(message.name, compare(decode(message, 1 << 16), parse(message, 1 << 16)));
	row("  … in chunks of 50 bytes", compare(decode(message, 50), parse(message, 50)));
}
if (sink === 0) throw new Error("nothing was done");
