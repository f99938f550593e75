/** Address that the name of a time server resolves to: of those for documentation (RFC 5737). */
export const TIME_SERVER_ADDRESS = "192.0.2.123";
export const SNTP_PORT = 123;

/** Of the internet, as boards see it. */
export interface TimeService {
	/** Whether time servers answer. */
	answers: boolean;
}

const SECONDS_1900_TO_1970 = 2_208_988_800;
const SIZE = 48;

/**
 * Answers a request as an NTP server does (RFC 5905 §7.3): seconds and fraction, and the client's own
 * timestamp.
 * @param receivedMs true time of its arrival, ms since 1970
 * @param sentMs of the answer
 * @returns undefined: no answer, as it is no request of a client
 */
export function answerTimeRequest(
	request: Uint8Array,
	receivedMs: number,
	sentMs: number,
): Uint8Array | undefined {
	const first = request[0] ?? 0;
	if (request.length < SIZE || (first & 7) !== 3) return undefined;
	const answer = new Uint8Array(SIZE);
	const view = new DataView(answer.buffer);
	answer[0] = (first & 0x38) | 4;
	answer[1] = 2;
	answer[2] = request[2]!;
	answer[3] = 0xe9;
	writeTimestamp(view, 16, receivedMs - 30_000);
	answer.set(request.subarray(40, 48), 24);
	writeTimestamp(view, 32, receivedMs);
	writeTimestamp(view, 40, sentMs);
	return answer;
}

function writeTimestamp(view: DataView, at: number, timeMs: number): void {
	const seconds = Math.floor(timeMs / 1000);
	view.setUint32(at, (seconds + SECONDS_1900_TO_1970) % 0x1_0000_0000);
	view.setUint32(at + 4, Math.floor(((timeMs - seconds * 1000) / 1000) * 0x1_0000_0000));
}
