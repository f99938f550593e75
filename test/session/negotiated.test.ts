import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CONNACK } from "../../src/mqtt/constants";
import { decodeBody } from "../../src/mqtt/decode/body";
import { Encoder } from "../../src/mqtt/encoder";
import { Packet } from "../../src/mqtt/packet";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { Negotiated, readLimits, UNLIMITED } from "../../src/session/negotiated";

/** A CONNACK as it is decoded. */
function connack(write: (properties: PropertyWriter) => void, version: 4 | 5 = 5): Packet {
	const properties = new PropertyWriter(200);
	write(properties);
	const encoder = new Encoder({ size: 300, version });
	const length = version === 5 ? encoder.connack(false, 0, properties) : encoder.connack(false, 0);
	const packet = new Packet();
	packet.version = version;
	packet.type = CONNACK;
	assert.equal(decodeBody(packet, encoder.view, 2, length, false), 0);
	return packet;
}

function facts(negotiated: Negotiated): unknown[] {
	return [
		negotiated.receiveMaximum,
		negotiated.maximumPacketSize,
		negotiated.topicAliasMaximum,
		negotiated.maximumQoS,
		negotiated.retainAvailable,
		negotiated.wildcardAvailable,
		negotiated.subscriptionIdentifierAvailable,
		negotiated.sharedSubscriptionAvailable,
		negotiated.keepAliveSeconds,
		negotiated.sessionExpirySeconds,
		negotiated.assignedClientId === undefined
			? undefined
			: Buffer.from(negotiated.assignedClientId).toString(),
	];
}

const DEFAULTS = [65_535, UNLIMITED, 0, 2, true, true, true, true, 60, 300, undefined];

describe("what CONNECT and CONNACK fixed", () => {
	for (const version of [4, 5] as const)
		test(`version ${version}: properties that are absent have their defaults, the rest is as CONNECT asked`, () => {
			const negotiated = new Negotiated(version);
			negotiated.begin(60, 300, { receiveMaximum: 3, maximumPacketSize: 100, maximumQoS: 1 });
			assert.ok(!negotiated.isAgreed);
			negotiated.agree(connack(() => {}, version).properties, true);
			// In MQTT 3.1.1 no CONNACK takes back the highest QoS that the broker has shown
			assert.deepEqual(facts(negotiated), version === 4 ? DEFAULTS.with(3, 1) : DEFAULTS);
			assert.ok(negotiated.isAgreed && negotiated.sessionPresent);
		});

	test("every property of CONNACK is applied, and the next CONNACK without them resets them all", () => {
		const negotiated = new Negotiated(5);
		negotiated.begin(60, 300, undefined);
		const full = connack((properties) =>
			properties
				.receiveMaximum(9)
				.maximumPacketSize(1000)
				.topicAliasMaximum(4)
				.maximumQoS(0)
				.retainAvailable(false)
				.wildcardSubscriptionAvailable(false)
				.subscriptionIdentifierAvailable(false)
				.sharedSubscriptionAvailable(false)
				.serverKeepAlive(30)
				.sessionExpiryInterval(77)
				.assignedClientIdentifier(Buffer.from("a1")),
		);
		negotiated.agree(full.properties, false);
		assert.deepEqual(facts(negotiated), [9, 1000, 4, 0, false, false, false, false, 30, 77, "a1"]);
		assert.ok(!negotiated.sessionPresent);
		negotiated.begin(60, 300, undefined);
		negotiated.agree(connack(() => {}).properties, false);
		assert.deepEqual(facts(negotiated), DEFAULTS);
	});

	// [MQTT-3.2.2-17]
	test("before CONNACK: cached limits, or those of the last connection, and no topic aliases", () => {
		const negotiated = new Negotiated(5);
		negotiated.begin(60, 0, { receiveMaximum: 3, maximumQoS: 1, retainAvailable: false });
		assert.deepEqual(facts(negotiated).slice(0, 5), [3, UNLIMITED, 0, 1, false]);
		const limited = connack((properties) => properties.maximumPacketSize(1000).topicAliasMaximum(4));
		negotiated.agree(limited.properties, false);
		negotiated.begin(60, 0, undefined);
		assert.deepEqual(facts(negotiated).slice(0, 5), [65_535, 1000, 0, 2, true]);
		assert.ok(!negotiated.isAgreed);
	});

	test("the three limits that both ends announce are read the same way for any object", () => {
		const limits = { receiveMaximum: 1, maximumPacketSize: 1, topicAliasMaximum: 1 };
		readLimits(limits, connack((properties) => properties.receiveMaximum(5)).properties);
		assert.deepEqual(limits, { receiveMaximum: 5, maximumPacketSize: UNLIMITED, topicAliasMaximum: 0 });
	});
});
