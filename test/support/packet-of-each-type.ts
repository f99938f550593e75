/** A correct packet of each type; its identifier, where it has one, is not in flight. */
export const packetOfEachType = (version: 4 | 5): Record<string, readonly number[]> => ({
	CONNECT: [0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, version, 2, 0, 60, 0, 0],
	CONNACK: version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0],
	PUBLISH: version === 5 ? [0x32, 6, 0, 1, 0x61, 0, 9, 0] : [0x32, 5, 0, 1, 0x61, 0, 9],
	PUBACK: [0x40, 2, 0, 9],
	PUBREC: [0x50, 2, 0, 9],
	PUBREL: [0x62, 2, 0, 9],
	PUBCOMP: [0x70, 2, 0, 9],
	SUBSCRIBE: version === 5 ? [0x82, 7, 0, 9, 0, 0, 1, 0x61, 0] : [0x82, 6, 0, 9, 0, 1, 0x61, 0],
	SUBACK: version === 5 ? [0x90, 4, 0, 9, 0, 0] : [0x90, 3, 0, 9, 0],
	UNSUBSCRIBE: version === 5 ? [0xa2, 6, 0, 9, 0, 0, 1, 0x61] : [0xa2, 5, 0, 9, 0, 1, 0x61],
	UNSUBACK: version === 5 ? [0xb0, 4, 0, 9, 0, 0] : [0xb0, 2, 0, 9],
	PINGREQ: [0xc0, 0],
	PINGRESP: [0xd0, 0],
	DISCONNECT: [0xe0, 0],
	AUTH: [0xf0, 6, 0x18, 4, 0x15, 0, 1, 0x6d],
});
