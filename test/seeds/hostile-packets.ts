import { generate, type Packet } from "mqtt-packet";
import type { Draw } from "./draw";

export const PINGREQ = Uint8Array.of(0xc0, 0);
/** The beginning of a PUBLISH of 256 MB. */
export const OVERSIZED = Uint8Array.from({ length: 600 }, (_, index) =>
	index === 0 ? 0x30 : index < 4 ? 0xff : index === 4 ? 0x7f : index === 5 ? 0 : 0x61,
);
/** They match what the well-behaved publish, all of it several times. */
const FILTERS = ["#", "+/#", "home/+/+", "home/#", "$SYS/#", "$share/group/#", "pub/+"];
/** Bits of a fixed header that say RETAIN. */
const RETAIN_BIT = 1;
const PUBLISH_TYPE = 3;

/** SUBSCRIBE or UNSUBSCRIBE, with filters that match much. */
export function subscribingPacket(draw: Draw, version: 4 | 5, messageId: number): Buffer {
	const topics = Array.from({ length: draw.integer(1, 3) }, () => draw.pick(FILTERS));
	if (draw.chance(0.4)) return encode(version, { cmd: "unsubscribe", messageId, unsubscriptions: topics });
	const subscriptions = topics.map((topic) => ({ topic, qos: draw.pick([0, 1, 2] as const) }));
	return encode(version, { cmd: "subscribe", messageId, subscriptions });
}

/** A packet of a client in which one to three bytes are others, or missing at its end. */
export function damagedPacket(draw: Draw, version: 4 | 5): Buffer {
	const packet = Buffer.from(encode(version, validPacket(draw, version)));
	if (draw.chance(0.2)) return packet.subarray(0, draw.integer(1, packet.length - 1));
	for (let left = draw.integer(1, 3); left > 0; left--)
		packet[draw.integer(0, packet.length - 1)] = draw.pick([0, 1, 0x7f, 0x80, 0xff, draw.integer(0, 255)]);
	// Retained values have a pool that everybody shares, which is no matter of this neighbour
	if (packet[0]! >> 4 === PUBLISH_TYPE) packet[0]! &= ~RETAIN_BIT;
	return packet;
}

function validPacket(draw: Draw, version: 4 | 5): Packet {
	const messageId = draw.integer(1, 20);
	switch (draw.integer(0, 5)) {
		case 0:
			return {
				cmd: "subscribe",
				messageId,
				subscriptions: [{ topic: draw.pick(FILTERS), qos: 1 }],
				...(version === 5 ? { properties: { subscriptionIdentifier: 7 } } : {}),
			};
		case 1:
			return { cmd: "unsubscribe", messageId, unsubscriptions: ["#", "noise/+"] };
		case 2:
			return { cmd: "pubrel", messageId };
		case 3:
			return { cmd: draw.pick(["puback", "pubrec", "pubcomp"] as const), messageId };
		default: {
			const qos = draw.pick([0, 1, 2] as const);
			return {
				cmd: "publish",
				topic: "noise/damaged",
				payload: "x".repeat(draw.integer(0, 20)),
				qos,
				...(qos === 0 ? {} : { messageId }),
				dup: false,
				retain: false,
				...(version === 5
					? {
							properties: {
								topicAlias: draw.pick([1, 2, 65_535]),
								messageExpiryInterval: 30,
								responseTopic: "noise/answers",
								correlationData: Buffer.from("abc"),
								userProperties: { name: "value" },
							},
						}
					: {}),
			};
		}
	}
}

function encode(version: 4 | 5, packet: Packet): Buffer {
	return generate(packet, { protocolVersion: version });
}
