import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeProperties } from "../../sim/capture/describe-properties";
import * as constants from "../../src/mqtt/constants";
import { Decoder } from "../../src/mqtt/decoder";
import { MQTTError } from "../../src/mqtt/error";
import * as properties from "../../src/mqtt/properties";
import { PropertyReader } from "../../src/mqtt/property-reader";
import { TYPE_NONE } from "../../src/mqtt/property-types";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";
import { bytes } from "./notation";
import { latin1Text } from "./plain-packet";

function assertRefused(
	reasonCode: number,
	writer: PropertyWriter,
	act: (writer: PropertyWriter) => unknown,
): void {
	const { length, idsLow, idsHigh } = writer;
	assert.throws(
		() => act(writer),
		(error) => error instanceof MQTTError && error.reasonCode === reasonCode,
	);
	assert.deepEqual([writer.length, writer.idsLow, writer.idsHigh], [length, idsLow, idsHigh]);
}

function content(writer: PropertyWriter): Buffer {
	return Buffer.from(writer.bytes.slice(0, writer.length));
}

describe("PropertyWriter", () => {
	it("refuses values out of range", () => {
		const writer = new PropertyWriter(64);
		assertRefused(0x82, writer, (w) => w.sessionExpiryInterval(-1));
		assertRefused(0x82, writer, (w) => w.sessionExpiryInterval(4294967296));
		assertRefused(0x82, writer, (w) => w.sessionExpiryInterval(0.5));
		assertRefused(0x82, writer, (w) => w.messageExpiryInterval(Number.NaN));
		assertRefused(0x82, writer, (w) => w.receiveMaximum(0));
		assertRefused(0x82, writer, (w) => w.receiveMaximum(65536));
		assertRefused(0x82, writer, (w) => w.maximumPacketSize(0));
		assertRefused(0x82, writer, (w) => w.maximumQoS(2));
		assertRefused(0x82, writer, (w) => w.subscriptionIdentifier(0));
		assertRefused(0x82, writer, (w) => w.subscriptionIdentifier(268435456));
		assertRefused(0x94, writer, (w) => w.topicAlias(0));
		assertRefused(0x94, writer, (w) => w.topicAlias(65536));
		assertRefused(0x82, writer, (w) => w.serverKeepAlive(65536));
		assertRefused(0x82, writer, (w) => w.responseTopic(utf8("a/#")));
		assertRefused(0x82, writer, (w) => w.responseTopic(utf8("")));
		assertRefused(0x81, writer, (w) => w.contentType(Uint8Array.of(0xff)));
		assertRefused(0x81, writer, (w) => w.userProperty(Uint8Array.of(0), utf8("v")));
		assertRefused(0x81, writer, (w) => w.userProperty(utf8("k"), Uint8Array.of(0xc0, 0x80)));
		assertRefused(0x95, writer, (w) => w.correlationData(new Uint8Array(65536)));
		assertRefused(0x95, writer, (w) => w.userProperty(utf8("k"), new Uint8Array(65536).fill(65)));
	});

	it("refuses duplicates, except of user properties and subscription identifiers", () => {
		const writer = new PropertyWriter(64)
			.sessionExpiryInterval(1)
			.topicAlias(1)
			.contentType(utf8("t"))
			.payloadFormatIndicator(true);
		assertRefused(0x82, writer, (w) => w.sessionExpiryInterval(2));
		assertRefused(0x94, writer, (w) => w.topicAlias(0));
		assertRefused(0x82, writer, (w) => w.topicAlias(1));
		assertRefused(0x82, writer, (w) => w.contentType(utf8("t")));
		assertRefused(0x82, writer, (w) => w.payloadFormatIndicator(true));
		writer
			.userProperty(utf8("k"), utf8("v"))
			.userProperty(utf8("k"), utf8("v"))
			.subscriptionIdentifier(1)
			.subscriptionIdentifier(2);
		assert.equal(writer.reset(), writer);
		assert.equal(writer.sessionExpiryInterval(3).length, 5);
	});

	it("refuses a property that does not fit and keeps the others", () => {
		const writer = new PropertyWriter(7).sessionExpiryInterval(1);
		assertRefused(0x95, writer, (w) => w.receiveMaximum(1));
		assertRefused(0x95, writer, (w) => w.userProperty(utf8(""), utf8("")));
		assertRefused(0x95, writer, (w) => w.serverReference(utf8("")));
		assertRefused(0x95, writer, (w) => w.subscriptionIdentifier(128));
		writer.subscriptionIdentifier(127);
		assertRefused(0x95, writer, (w) => w.requestProblemInformation(false));
		assert.deepEqual(content(writer), Buffer.from(bytes("11 00000001 0b 7f")));
	});

	it("copies any property from a reader", () => {
		const raw = bytes(
			"01 01 02 ffffffff 03 s'text' 09 0002 00ff 23 0102 0b 8001 0b ffffff7f 26 s'k' s'v' 26 s'' s''",
		);
		const reader = new PropertyReader(raw);
		reader.setRange(raw, 0, raw.length);
		const writer = new PropertyWriter(raw.length);
		while (reader.next()) writer.copy(reader);
		assert.equal(reader.errorCode, 0);
		assert.deepEqual(content(writer), Buffer.from(raw));
	});
});

describe("PropertyReader", () => {
	const raw = bytes("ff 11 0000000a 26 s'a' s'1' 26 s'b' s'2' ff");
	const reader = new PropertyReader(raw);
	reader.setRange(raw, 1, raw.length - 1);

	it("iterates, finds and rewinds", () => {
		assert.equal(reader.empty, false);
		assert.ok(reader.next());
		assert.deepEqual([reader.id, reader.number], [properties.SESSION_EXPIRY_INTERVAL, 10]);
		assert.ok(reader.next());
		assert.ok(reader.next());
		assert.equal(
			latin1Text(raw, reader.nameStart, reader.nameEnd) + latin1Text(raw, reader.start, reader.end),
			"b2",
		);
		assert.equal(reader.next(), false);
		assert.equal(reader.id, 0);
		assert.equal(reader.next(), false);
		reader.rewind();
		assert.ok(reader.next());
		assert.equal(reader.number, 10);
	});

	it("finds only properties that the decoder found", () => {
		assert.equal(reader.has(properties.SESSION_EXPIRY_INTERVAL), false);
		reader.idsLow = 1 << properties.SESSION_EXPIRY_INTERVAL;
		reader.idsHigh = 1 << (properties.USER_PROPERTY - 32);
		assert.ok(reader.find(properties.USER_PROPERTY));
		assert.equal(latin1Text(raw, reader.nameStart, reader.nameEnd), "a");
		assert.ok(reader.find(properties.SESSION_EXPIRY_INTERVAL));
		assert.equal(reader.find(properties.REASON_STRING), false);
		assert.equal(reader.find(properties.MAXIMUM_QOS), false);
	});
});

describe("the table of properties", () => {
	/** Table 2-4, and the types and ranges of §3.1.2.11, §3.2.2.3 and §3.3.2.3; W is the will. */
	const TABLE_2_4 = `
		01 byte     PUBLISH W
		02 uint32   PUBLISH W
		03 string   PUBLISH W
		08 string   PUBLISH W
		09 binary   PUBLISH W
		0b varint+  PUBLISH SUBSCRIBE
		11 uint32   CONNECT CONNACK DISCONNECT
		12 string   CONNACK
		13 uint16   CONNACK
		15 string   CONNECT CONNACK AUTH
		16 binary   CONNECT CONNACK AUTH
		17 byte     CONNECT
		18 uint32   W
		19 byte     CONNECT
		1a string   CONNACK
		1c string   CONNACK DISCONNECT
		1f string   CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH
		21 uint16+  CONNECT CONNACK
		22 uint16   CONNECT CONNACK
		23 uint16+  PUBLISH
		24 byte     CONNACK
		25 byte     CONNACK
		26 pair     CONNECT CONNACK PUBLISH W PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH
		27 uint32+  CONNECT CONNACK
		28 byte     CONNACK
		29 byte     CONNACK
		2a byte     CONNACK`;
	const rows = TABLE_2_4.trim()
		.split("\n")
		.map((line) => {
			const [id, type, ...carriers] = line.trim().split(/\s+/);
			return { id: Number.parseInt(id, 16), type, carriers };
		});
	const VALUES: Record<string, string> = {
		byte: "01",
		uint16: "0001",
		uint32: "00000001",
		varint: "01",
		string: "s'x'",
		binary: "0001 00",
		pair: "s'x' s'y'",
	};
	/** Whole packets around properties, from the end that may send all of them. */
	const PACKETS: readonly [
		name: string,
		from: "client" | "broker",
		packet: (properties: string) => string,
	][] = [
		["CONNECT", "client", (p) => `10 { s'MQTT' 05 02 0000 { ${p} } s'' }`],
		["W", "client", (p) => `10 { s'MQTT' 05 06 0000 00 s'' { ${p} } s'w' s'' }`],
		["CONNACK", "broker", (p) => `20 { 00 00 { ${p} } }`],
		["PUBLISH", "broker", (p) => `30 { s't' { ${p} } }`],
		["PUBACK", "broker", (p) => `40 { 0001 00 { ${p} } }`],
		["PUBREC", "broker", (p) => `50 { 0001 00 { ${p} } }`],
		["PUBREL", "broker", (p) => `62 { 0001 00 { ${p} } }`],
		["PUBCOMP", "broker", (p) => `70 { 0001 00 { ${p} } }`],
		["SUBSCRIBE", "client", (p) => `82 { 0001 { ${p} } s'f' 00 }`],
		["SUBACK", "broker", (p) => `90 { 0001 { ${p} } 00 }`],
		["UNSUBSCRIBE", "client", (p) => `a2 { 0001 { ${p} } s'f' }`],
		["UNSUBACK", "broker", (p) => `b0 { 0001 { ${p} } 00 }`],
		["DISCONNECT", "client", (p) => `e0 { 00 { ${p} } }`],
		["AUTH", "broker", (p) => `f0 { 00 { ${p} } }`],
	];

	/** What the decoder says of a packet; "" if it accepts it. */
	function refusal(from: "client" | "broker", raw: string): string {
		let refused = "";
		const handler = {
			onPacket: () => {},
			onPublish: () => {},
			onPayload: () => {},
			onError: (_code: number, message: string) => {
				refused = message;
			},
		};
		new Decoder({ size: 256, from, handler }).push(bytes(raw), 0, bytes(raw).length);
		return refused;
	}

	it("is Table 2-4: each packet takes the properties named there and no others", () => {
		let taken = 0;
		for (const [name, from, packet] of PACKETS)
			for (const { id, type, carriers } of rows) {
				const property = `${id.toString(16).padStart(2, "0")} ${VALUES[type.replace("+", "")]}`;
				// Authentication data, and AUTH, need a method as well (§3.1.2.11.10, §3.15.2.2.2)
				const method = id !== 0x15 && (name === "AUTH" || id === 0x16) ? " 15 s'm'" : "";
				const allowed = carriers.includes(name);
				const message = refusal(from, packet(property + method));
				assert.equal(message, allowed ? "" : "property is not allowed in this packet", `${name} ${property}`);
				if (allowed) taken++;
			}
		assert.equal(taken, rows.flatMap(({ carriers }) => carriers).length);
	});

	it("has the specification's range of each value", () => {
		for (const { id, type } of rows) {
			if (!/byte|int/.test(type)) continue;
			assert.equal(properties.propertyValueAllowed(id, 0), !type.endsWith("+"), `0 for ${id}`);
			assert.equal(properties.propertyValueAllowed(id, 1), true);
			assert.equal(properties.propertyValueAllowed(id, 2), type !== "byte", `2 for ${id}`);
		}
	});

	it("defines no other identifier", () => {
		const known = new Set(rows.map(({ id }) => id));
		for (let id = 0; id < 256; id++) assert.equal(properties.propertyType(id) !== TYPE_NONE, known.has(id));
	});

	it("names each property as the method that writes it is named, in a trace too", () => {
		for (const { id, type } of rows) {
			const value = bytes(`${id.toString(16).padStart(2, "0")} ${VALUES[type.replace("+", "")]}`);
			const reader = new PropertyReader(value);
			reader.setRange(value, 0, value.length);
			const [name] = Object.keys(describeProperties(reader).properties ?? {});
			assert.equal(typeof PropertyWriter.prototype[name as keyof PropertyWriter], "function", name);
		}
	});
});

describe("constants", () => {
	it("reasonName has a name of its own for every code of §2.4", () => {
		const names = new Set<string>();
		const codes = [0, 1, 2, 4, 0x10, 0x11, 0x18, 0x19];
		for (let code = 0x80; code <= 0xa2; code++) codes.push(code);
		for (const code of codes) names.add(constants.reasonName(code as constants.ReasonCode));
		assert.equal(names.size, codes.length);
		assert.ok([...names].every((name) => typeof name === "string" && name.length > 4));
	});

	it("isFailure begins at 0x80, and is false for numbers that are no reason codes", () => {
		const numbers = [-2, -1, constants.SUCCESS, 0x7f, 0x80, constants.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED];
		assert.deepEqual(numbers.filter(constants.isFailure), [0x80, 0xa2]);
	});
});
