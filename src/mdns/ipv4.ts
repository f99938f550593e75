import { NINE, POINT, ZERO } from "../text/ascii";

const PARTS = 4;

/** An IPv4 address in dotted form as 32 bits; NaN if it is none. */
export function ipv4(text: string): number {
	let address = 0;
	let part = -1;
	let parts = 0;
	for (let i = 0; i <= text.length; i++) {
		const code = i === text.length ? POINT : text.charCodeAt(i);
		if (code >= ZERO && code <= NINE) {
			part = Math.max(part, 0) * 10 + code - ZERO;
			if (part > 255) return NaN;
		} else {
			if (code !== POINT || part < 0 || ++parts > PARTS) return NaN;
			address = address * 256 + part;
			part = -1;
		}
	}
	return parts === PARTS ? address : NaN;
}

/** 32 bits in dotted form. */
export function ipv4Text(bytes: Uint8Array, at: number): string {
	return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}
