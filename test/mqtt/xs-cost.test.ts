import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { measure } from "./xs-cost";

const costs = measure(`
import { Encoder } from "mqtt/encoder";
import { Decoder } from "mqtt/decoder";
import { PropertyWriter } from "mqtt/property-writer";
import { matches } from "mqtt/topics";
import { utf8 } from "mqtt/utf8";

const topic = utf8("home/greenhouse/humidity");
const payload = utf8("23.74");
const scratch = new Uint8Array(32);
scratch.set(payload);

const empty = new Encoder({ size: 16 });
measure("loop", (count) => { for (let i = 0; i < count; i++); });
measure("reset", (count) => { for (let i = 0; i < count; i++) empty.reset(); });
for (const version of [4, 5]) {
	const encoder = new Encoder({ size: 512, version });
	const name = version === 4 ? "3.1.1" : "5.0";
	measure("encode " + name, (count) => {
		for (let i = 0; i < count; i++) {
			encoder.publish(topic, payload, 5, 2, 10);
			encoder.reset();
		}
	});
	measure("encode " + name + " from a longer array", (count) => {
		for (let i = 0; i < count; i++) {
			encoder.publish(topic, scratch, 5, 2, 10);
			encoder.reset();
		}
	});
	measure("encode, seal, reset " + name, (count) => {
		for (let i = 0; i < count; i++) {
			encoder.publish(topic, payload, 5, 2, 10);
			encoder.seal();
			encoder.reset();
		}
	});
	measure("forward " + name, (count) => {
		for (let i = 0; i < count; i++) {
			encoder.publishHeader(topic, 0, 24, 5, 2, 10);
			encoder.payload(scratch, 0, 5);
			encoder.reset();
		}
	});
	measure("puback " + name, (count) => { for (let i = 0; i < count; i++) { encoder.puback(10); encoder.reset(); } });
	measure("pingreq " + name, (count) => { for (let i = 0; i < count; i++) { encoder.pingreq(); encoder.reset(); } });

	const handler = {
		n: 0,
		onPacket(packet) { this.n++; },
		onPublish(packet) { this.n += packet.packetId; },
		onPayload(bytes, start, end, last) { this.n += end - start; },
		onError(code, message) { throw new Error(message); },
	};
	const decoder = new Decoder({ size: 512, from: "broker", version, handler });
	encoder.reset();
	encoder.publish(topic, payload, 5, 2, 10);
	const message = encoder.seal().slice();
	encoder.reset();
	encoder.puback(10);
	const ack = encoder.seal().slice();
	encoder.reset();
	const ping = Uint8Array.of(0xd0, 0);
	measure("decode PUBLISH " + name, (count) => {
		for (let i = 0; i < count; i++) decoder.push(message, 0, message.length);
	});
	measure("decode PUBLISH in two chunks " + name, (count) => {
		for (let i = 0; i < count; i++) {
			decoder.push(message, 0, 9);
			decoder.push(message, 9, message.length);
		}
	});
	measure("decode PUBACK " + name, (count) => {
		for (let i = 0; i < count; i++) decoder.push(ack, 0, ack.length);
	});
	measure("decode PINGRESP " + name, (count) => { for (let i = 0; i < count; i++) decoder.push(ping, 0, 2); });
}

const five = new Encoder({ size: 512 });
const writer = new PropertyWriter(64);
const unit = utf8("unit"), c = utf8("C");
measure("encode with properties", (count) => {
	for (let i = 0; i < count; i++) {
		five.publish(topic, payload, 5, 2, 10, writer.reset().messageExpiryInterval(60).userProperty(unit, c));
		five.reset();
	}
});
five.publish(topic, payload, 5, 2, 10, writer.reset().messageExpiryInterval(60).userProperty(unit, c));
const rich = five.seal().slice();
five.reset();
const handler = {
	n: 0,
	onPacket() {},
	onPublish(packet) { const { properties } = packet; while (properties.next()) this.n += properties.id; },
	onPayload() {},
	onError(code, message) { throw new Error(message); },
};
const decoder = new Decoder({ size: 64, from: "broker", handler });
measure("decode with properties", (count) => {
	for (let i = 0; i < count; i++) decoder.push(rich, 0, rich.length);
});
const large = five.publish(topic, new Uint8Array(200), 200, 0, 0);
const big = five.seal().slice();
const stream = new Decoder({ size: 48, from: "broker", handler });
measure("decode a streaming PUBLISH", (count) => {
	for (let i = 0; i < count; i++) {
		stream.push(big, 0, 20);
		stream.push(big, 20, 100);
		stream.push(big, 100, big.length);
	}
});
const filter = utf8("home/+/humidity");
measure("match", (count) => { for (let i = 0; i < count; i++) matches(filter, 0, 15, topic, 0, 24); });

const client = new Encoder({ size: 256 });
const fields = {
	clientId: unit,
	keepAlive: 60,
	cleanStart: true,
	username: unit,
	password: c,
	properties: new PropertyWriter(8).sessionExpiryInterval(60),
	will: { topic, payload, qos: 1, retain: true },
};
measure("encode CONNECT", (count) => {
	for (let i = 0; i < count; i++) { client.connect(fields); client.reset(); }
});
client.connect(fields);
const connect = client.seal().slice();
client.reset();
const subscriptions = [{ filter, options: 1 }, { filter: topic, options: 0 }];
measure("encode SUBSCRIBE", (count) => {
	for (let i = 0; i < count; i++) { client.subscribe(1, subscriptions); client.reset(); }
});
client.subscribe(1, subscriptions);
const subscribe = client.seal().slice();
const walk = {
	n: 0,
	onPacket(packet) { while (packet.nextFilter()) this.n += packet.options; packet.rewind(); },
	onPublish() {},
	onPayload() {},
	onError(code, message) { throw new Error(message); },
};
const server = new Decoder({ size: 256, from: "client", handler: walk });
measure("decode CONNECT", (count) => {
	const { length } = connect;
	for (let i = 0; i < count; i++) server.push(connect, 0, length);
});
measure("decode SUBSCRIBE", (count) => {
	const { length } = subscribe;
	for (let i = 0; i < count; i++) server.push(subscribe, 0, length);
});
`);

/** Cost of the operation alone, without the loop around it and the reset after it. */
function computrons(name: string): number {
	const of = (name: string) => costs.get(name)?.computrons ?? Number.NaN;
	return of(name) - of(/^(decode|match)/.test(name) ? "loop" : "reset");
}

describe("on XS", () => {
	for (const [name, { slots, chunks }] of costs) {
		if (name === "loop" || name === "reset") continue;
		it(`${name} allocates nothing (${computrons(name).toFixed(0)} computrons)`, () => {
			assert.equal(slots, 0);
			assert.equal(chunks, 0);
		});
	}

	it("a QoS 1 PUBLISH of a 24-byte topic and a 5-byte payload costs at most 300 computrons", () => {
		for (const version of ["3.1.1", "5.0"]) assert.ok(computrons(`encode ${version}`) <= 300);
	});
});
