import { randomBytes } from "node:crypto";

export interface FrameOptions {
	fin?: boolean;
	rsv?: number;
	masked?: boolean;
	/** Size of the length field, bytes: 1, 2 or 8; by default the smallest that fits. */
	width?: 1 | 2 | 8;
	mask?: Uint8Array;
}

/** Encodes a frame of a client. */
export function frame(opcode: number, payload: Uint8Array | string = "", options: FrameOptions = {}): Buffer {
	const body = Buffer.from(payload as string);
	const { length } = body;
	const { fin = true, rsv = 0, masked = true, width = length < 126 ? 1 : length < 65_536 ? 2 : 8 } = options;
	const head = [
		(fin ? 0x80 : 0) | (rsv << 4) | opcode,
		(masked ? 0x80 : 0) | (width === 1 ? length : width === 2 ? 126 : 127),
	];
	if (width === 2) head.push(length >> 8, length & 255);
	if (width === 8) for (let i = 7; i >= 0; i--) head.push(Math.floor(length / 256 ** i) & 255);
	if (!masked) return Buffer.concat([Buffer.from(head), body]);
	const mask = options.mask ?? randomBytes(4);
	for (let i = 0; i < length; i++) body[i] ^= mask[i & 3];
	return Buffer.concat([Buffer.from(head), mask, body]);
}

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** The fields of a valid request, by name. */
export const VALID_FIELDS: Readonly<Record<string, string>> = {
	Host: "192.168.1.10:8080",
	Upgrade: "websocket",
	Connection: "Upgrade",
	"Sec-WebSocket-Key": KEY,
	"Sec-WebSocket-Version": "13",
	"Sec-WebSocket-Protocol": "mqtt",
};

/** A request; an undefined field is omitted, an array is a repeated field. */
export function request(
	fields: Record<string, string | string[] | undefined> = {},
	line = "GET / HTTP/1.1",
): Buffer {
	const lines = [line];
	for (const [name, value] of Object.entries({ ...VALID_FIELDS, ...fields })) {
		for (const one of value === undefined ? [] : Array.isArray(value) ? value : [value])
			lines.push(`${name}: ${one}`);
	}
	return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** Parses the frames that a server sent. @throws {Error} on a masked or invalid frame */
export function parseFrames(bytes: Uint8Array): { opcode: number; fin: boolean; payload: Buffer }[] {
	const frames = [];
	for (let at = 0; at < bytes.length; ) {
		if (bytes[at] & 0x70) throw new Error("RSV");
		let length = bytes[at + 1];
		let head = 2;
		if (length > 127) throw new Error("masked");
		if (length === 126) {
			length = (bytes[at + 2] << 8) | bytes[at + 3];
			head = 4;
			if (length < 126) throw new Error("not the shortest encoding");
		} else if (length === 127) throw new Error("64 bits");
		if (at + head + length > bytes.length) throw new Error("cut off");
		frames.push({
			opcode: bytes[at] & 15,
			fin: bytes[at] > 127,
			payload: Buffer.from(bytes.slice(at + head, at + head + length)),
		});
		at += head + length;
	}
	return frames;
}
