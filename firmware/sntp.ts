import { EARLIEST_SET_CLOCK_MS } from "./set-clock";

/** Bytes of a request, and of an answer without authentication (RFC 4330 §4). */
export const SNTP_SIZE = 48;

const MODE_CLIENT = 3;
const MODE_SERVER = 4;
const VERSION = 4;
/** The server's own clock is not synchronised. */
const LEAP_ALARM = 3;
/** Largest stratum of a synchronised server; 0 is a refusal ("kiss of death"). */
const MAXIMUM_STRATUM = 15;
/** Offsets of 64-bit timestamps: of the request as the server saw it, of its arrival, and of the answer. */
const ORIGINATE = 24;
const RECEIVE = 32;
const TRANSMIT = 40;

const TWO_32 = 0x1_0000_0000;
/** Seconds from 1900, where timestamps count from, to 1970. */
const SECONDS_1900_TO_1970 = 2_208_988_800;

/**
 * Writes a request. Its transmit timestamp, which the server returns, is a random number: it says nothing
 * about this device, and only the answer to this very request contains it.
 */
export function writeRequest(bytes: Uint8Array): void {
	bytes.fill(0);
	bytes[0] = (VERSION << 3) | MODE_CLIENT;
	for (let i = TRANSMIT; i < SNTP_SIZE; i++) bytes[i] = Math.random() * 256;
}

/**
 * The time at which an answer arrived, in ms since 1970: when it was sent, and half of the round trip.
 * @param request the last request that was sent
 * @param roundTripMs from the request to the answer
 * @returns undefined: it does not answer the request; NaN: the server has no time, or refuses to serve. A
 *   router without a clock of its own may count from 1970 and claim to be synchronised
 */
export function readTime(answer: Uint8Array, request: Uint8Array, roundTripMs: number): number | undefined {
	if (answer.length < SNTP_SIZE || (answer[0] & 7) !== MODE_SERVER) return undefined;
	for (let i = 0; i < 8; i++) if (answer[ORIGINATE + i] !== request[TRANSMIT + i]) return undefined;
	if (answer[0] >> 6 === LEAP_ALARM || answer[1] === 0 || answer[1] > MAXIMUM_STRATUM) return NaN;
	const received = timestamp(answer, RECEIVE);
	const sent = timestamp(answer, TRANSMIT);
	// Time within the server; not negative and not more than the whole, whatever the server says.
	const heldMs = sent - received;
	const travelMs = heldMs > 0 && heldMs <= roundTripMs ? roundTripMs - heldMs : roundTripMs;
	const timeMs = sent + travelMs / 2;
	return timeMs >= EARLIEST_SET_CLOCK_MS ? timeMs : NaN;
}

/** A timestamp in ms since 1970; NaN: none. Timestamps below 2^31 seconds are those from 2036 on. */
function timestamp(bytes: Uint8Array, at: number): number {
	const seconds = uint32(bytes, at);
	const fraction = uint32(bytes, at + 4);
	if (seconds === 0 && fraction === 0) return NaN;
	const since1900 = seconds < TWO_32 / 2 ? seconds + TWO_32 : seconds;
	return (since1900 - SECONDS_1900_TO_1970) * 1000 + (fraction * 1000) / TWO_32;
}

function uint32(bytes: Uint8Array, at: number): number {
	return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
