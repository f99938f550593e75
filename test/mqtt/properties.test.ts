import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as constants from "../../src/mqtt/constants";
import { MQTTError } from "../../src/mqtt/error";
import { PropertyReader } from "../../src/mqtt/property-reader";
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
		assert.deepEqual([reader.id, reader.number], [constants.SESSION_EXPIRY_INTERVAL, 10]);
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
		assert.equal(reader.has(constants.SESSION_EXPIRY_INTERVAL), false);
		reader.idsLow = 1 << constants.SESSION_EXPIRY_INTERVAL;
		reader.idsHigh = 1 << (constants.USER_PROPERTY - 32);
		assert.ok(reader.find(constants.USER_PROPERTY));
		assert.equal(latin1Text(raw, reader.nameStart, reader.nameEnd), "a");
		assert.ok(reader.find(constants.SESSION_EXPIRY_INTERVAL));
		assert.equal(reader.find(constants.REASON_STRING), false);
		assert.equal(reader.find(constants.MAXIMUM_QOS), false);
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
