import fc from "fast-check";
import type { ReasonCode, Version } from "../../src/mqtt/constants";
import type { PlainPacket, Properties, Property, Will } from "./plain-packet";

/** Objects with Object.prototype, for strict comparison. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
	return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** The UTF-8 bytes of any string that MQTT allows, one character a byte. */
export const utf8Bytes = fc
	.string({ unit: "binary", maxLength: 12 })
	.map((text) => Buffer.from(text.replaceAll("\0", "0"), "utf8").toString("latin1"));

export const binary = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

export const topicName = utf8Bytes.map((text) => `${text.replaceAll(/[+#]/g, "/")}t`);

const level = fc.oneof(
	{ weight: 3, arbitrary: utf8Bytes.map((text) => text.replaceAll(/[+#/]/g, "x")) },
	{ weight: 1, arbitrary: fc.constant("+") },
);

/** Topic filters without `$share`. */
export const topicFilter = fc
	.tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
	.map(([levels, hash]) => (hash ? [...levels, "#"] : levels).join("/") || "/")
	.map((filter) => (filter.startsWith("$share/") ? `x${filter}` : filter));

const sharedFilter = fc
	.tuple(
		utf8Bytes.map((text) => `${text.replaceAll(/[+#/]/g, "x")}n`),
		topicFilter,
	)
	.map(([name, filter]) => `$share/${name}/${filter}`);

export const packetId = fc.integer({ min: 1, max: 0xffff });
const flag = fc.integer({ min: 0, max: 1 });
const two = fc.integer({ min: 0, max: 0xffff });
const four = fc.integer({ min: 0, max: 0xffff_ffff });
const userProperty: fc.Arbitrary<Property> = fc
	.tuple(utf8Bytes, utf8Bytes)
	.map(([name, value]) => [0x26, name, value] as const);

function property(id: number, value: fc.Arbitrary<number | string>): fc.Arbitrary<Property> {
	return value.map((value) => [id, value] as const);
}

/** A subset of the properties, each at most once, mixed with user properties. */
function propertyList(...single: fc.Arbitrary<Property>[]): fc.Arbitrary<Properties> {
	const chosen = fc.tuple(...single.map((arbitrary) => fc.option(arbitrary, { freq: 2, nil: undefined })));
	return fc.tuple(chosen, fc.array(userProperty, { maxLength: 3 })).chain(([some, users]) => {
		const list = [...some.filter((item) => item !== undefined), ...users];
		return fc.shuffledSubarray(list, { minLength: list.length });
	});
}

const connectProperties = propertyList(
	property(0x11, four),
	property(0x21, packetId),
	property(
		0x27,
		four.map((value) => value || 1),
	),
	property(0x22, two),
	property(0x19, flag),
	property(0x17, flag),
	property(0x15, utf8Bytes),
).chain((list) =>
	list.some(([id]) => id === 0x15)
		? binary.map((data) => [...list, [0x16, data] as const])
		: fc.constant(list),
);

const messageProperties = [
	property(0x01, flag),
	property(0x02, four),
	property(0x03, utf8Bytes),
	property(0x08, topicName),
	property(0x09, binary),
];
const willProperties = propertyList(property(0x18, four), ...messageProperties);
const connackProperties = propertyList(
	property(0x11, four),
	property(0x21, packetId),
	property(0x24, flag),
	property(0x25, flag),
	property(
		0x27,
		four.map((value) => value || 1),
	),
	property(0x12, utf8Bytes),
	property(0x22, two),
	property(0x1f, utf8Bytes),
	property(0x28, flag),
	property(0x29, flag),
	property(0x2a, flag),
	property(0x13, two),
	property(0x1a, utf8Bytes),
	property(0x1c, utf8Bytes),
	property(0x15, utf8Bytes),
	property(0x16, binary),
);
const acknowledgeProperties = propertyList(property(0x1f, utf8Bytes));
const subscriptionIdentifier = property(0x0b, fc.integer({ min: 1, max: 268_435_455 }));

function properties(version: Version, list: fc.Arbitrary<Properties>): fc.Arbitrary<Properties> {
	return version === 4 ? fc.constant([]) : list;
}

/** CONNECT */
export function connect(version: Version): fc.Arbitrary<PlainPacket> {
	const will: fc.Arbitrary<Will> = record({
		topic: topicName,
		payload: binary,
		qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
		retain: fc.boolean(),
		properties: properties(version, willProperties),
	});
	return fc
		.record(
			{
				type: fc.constant("CONNECT" as const),
				clientId: version === 4 ? utf8Bytes.map((text) => `c${text}`) : utf8Bytes,
				keepAlive: two,
				cleanStart: fc.boolean(),
				username: utf8Bytes,
				password: binary,
				will,
				properties: properties(version, connectProperties),
			},
			{ requiredKeys: ["type", "clientId", "keepAlive", "cleanStart", "properties"], noNullPrototype: true },
		)
		.map((packet) => {
			if (version === 4 && packet.username === undefined) delete packet.password;
			return packet;
		});
}

/** PUBLISH */
export function publish(
	version: Version,
	from: "client" | "broker",
	payload: fc.Arbitrary<string> = binary,
): fc.Arbitrary<PlainPacket> {
	const single = [...messageProperties, ...(from === "broker" ? [subscriptionIdentifier] : [])];
	const list = fc.oneof(
		propertyList(...single).map((list) => ({ list, alias: false })),
		propertyList(property(0x23, packetId)).map((list) => ({ list, alias: list.some(([id]) => id === 0x23) })),
	);
	return fc
		.tuple(
			fc.constantFrom(0, 1, 2, 3, 4, 5, 10, 11, 12, 13),
			topicName,
			packetId,
			payload,
			list,
			fc.boolean(),
		)
		.map(([flags, topic, id, payload, { list, alias }, bare]) => ({
			type: "PUBLISH" as const,
			flags,
			topic: version === 5 && alias && bare ? "" : topic,
			packetId: (flags & 6) === 0 ? 0 : id,
			payload,
			properties: version === 4 ? [] : list,
		}));
}

const RECEIVED: readonly ReasonCode[] = [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

function acknowledge(version: Version): fc.Arbitrary<PlainPacket> {
	const list = properties(version, acknowledgeProperties);
	return fc.oneof(
		record({
			type: fc.constantFrom("PUBACK" as const, "PUBREC" as const),
			packetId,
			reasonCode: version === 4 ? fc.constant(0) : fc.constantFrom(...RECEIVED),
			properties: list,
		}),
		record({
			type: fc.constantFrom("PUBREL" as const, "PUBCOMP" as const),
			packetId,
			reasonCode: version === 4 ? fc.constant(0) : fc.constantFrom(0, 0x92),
			properties: list,
		}),
	);
}

function subscribe(version: Version): fc.Arbitrary<PlainPacket> {
	const qos = fc.integer({ min: 0, max: 2 });
	const options = fc
		.tuple(qos, fc.integer({ min: 0, max: 3 }), qos)
		.map(([qos, bits, handling]) => qos | (bits << 2) | (handling << 4));
	const plain = record({ filter: topicFilter, options: version === 4 ? qos : options });
	const shared = record({ filter: sharedFilter, options: options.map((bits) => bits & ~4) });
	return record({
		type: fc.constant("SUBSCRIBE" as const),
		packetId,
		subscriptions: fc.array(version === 4 ? plain : fc.oneof(plain, shared), { minLength: 1, maxLength: 4 }),
		properties: properties(version, propertyList(subscriptionIdentifier)),
	});
}

function unsubscribe(version: Version): fc.Arbitrary<PlainPacket> {
	return record({
		type: fc.constant("UNSUBSCRIBE" as const),
		packetId,
		filters: fc.array(version === 4 ? topicFilter : fc.oneof(topicFilter, sharedFilter), {
			minLength: 1,
			maxLength: 4,
		}),
		properties: properties(version, propertyList()),
	});
}

function suback(version: Version): fc.Arbitrary<PlainPacket> {
	const list = properties(version, acknowledgeProperties);
	const codes =
		version === 4 ? [0, 1, 2, 0x80] : [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2];
	const gone = fc.array(fc.constantFrom(0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91), {
		minLength: 1,
		maxLength: 5,
	});
	return fc.oneof(
		record({
			type: fc.constant("SUBACK" as const),
			packetId,
			codes: fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 5 }),
			properties: list,
		}),
		record({
			type: fc.constant("UNSUBACK" as const),
			packetId,
			codes: version === 4 ? fc.constant([]) : gone,
			properties: list,
		}),
	);
}

function connack(version: Version): fc.Arbitrary<PlainPacket> {
	const codes: ReasonCode[] =
		version === 4
			? [0, 0x84, 0x85, 0x88, 0x86, 0x87]
			: [
					0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99,
					0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
				];
	return fc
		.tuple(fc.boolean(), fc.constantFrom(...codes), properties(version, connackProperties))
		.map(([present, reasonCode, properties]) => ({
			type: "CONNACK" as const,
			sessionPresent: present && reasonCode === 0,
			reasonCode,
			properties,
		}));
}

function disconnect(version: Version, from: "client" | "broker"): fc.Arbitrary<PlainPacket> {
	const both: ReasonCode[] = [0, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
	const codes: ReasonCode[] =
		from === "client"
			? [...both, 4]
			: [
					...both,
					0x87,
					0x89,
					0x8b,
					0x8c,
					0x8d,
					0x8e,
					0x8f,
					0x9a,
					0x9b,
					0x9c,
					0x9d,
					0x9e,
					0x9f,
					0xa0,
					0xa1,
					0xa2,
				];
	const single = [
		property(0x1f, utf8Bytes),
		property(0x1c, utf8Bytes),
		...(from === "client" ? [property(0x11, four)] : []),
	];
	return record({
		type: fc.constant("DISCONNECT" as const),
		reasonCode: version === 4 ? fc.constant(0) : fc.constantFrom(...codes),
		properties: properties(version, propertyList(...single)),
	});
}

function auth(from: "client" | "broker"): fc.Arbitrary<PlainPacket> {
	return fc
		.tuple(
			fc.constantFrom(0x18, from === "client" ? 0x19 : 0),
			utf8Bytes,
			propertyList(property(0x16, binary), property(0x1f, utf8Bytes)),
		)
		.map(([reasonCode, method, list]) => ({
			type: "AUTH" as const,
			reasonCode,
			properties: [[0x15, method] as const, ...list],
		}));
}

/** Every packet that a side may send, by name. */
export function packets(
	version: Version,
	from: "client" | "broker",
): Record<string, fc.Arbitrary<PlainPacket>> {
	const common = {
		PUBLISH: publish(version, from),
		acknowledgements: acknowledge(version),
		...(version === 5 ? { AUTH: auth(from) } : {}),
	};
	if (from === "client")
		return {
			CONNECT: connect(version),
			...common,
			SUBSCRIBE: subscribe(version),
			UNSUBSCRIBE: unsubscribe(version),
			PINGREQ: fc.constant({ type: "PINGREQ" as const }),
			DISCONNECT: disconnect(version, from),
		};
	return {
		CONNACK: connack(version),
		...common,
		"SUBACK and UNSUBACK": suback(version),
		PINGRESP: fc.constant({ type: "PINGRESP" as const }),
		...(version === 5 ? { DISCONNECT: disconnect(version, from) } : {}),
	};
}
