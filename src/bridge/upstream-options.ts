import type { ClientOptions } from "../client/options";
import type { BridgeSettings } from "../config/types";
import { HEADER_SIZE } from "./outgoing-messages";

/** Bytes of the answers to one message of QoS 2 of the other broker: PUBREC and PUBCOMP. */
const ANSWERS_SIZE = 8;

/**
 * Bytes of the send buffer that no message to the other broker uses: there is always room for the answers to
 * its messages, so that it is read from whatever it does not read.
 */
export function answersReserve(receiveMaximum: number): number {
	return ANSWERS_SIZE * receiveMaximum + 16;
}

/**
 * Options of the client of the other broker.
 * @param largestOut bytes of the largest packet to it
 * @param largestIn bytes of the largest one from it
 * @param receiveMaximum messages of QoS 2 that this broker takes before their release
 */
export function upstreamOptions(
	settings: BridgeSettings,
	largestOut: number,
	largestIn: number,
	receiveMaximum: number,
): ClientOptions {
	const options = {
		// So that only what differs is in RAM
		__proto__: settings,
		cleanStart: false,
		pipeline: false,
		// For CONNECT, which has up to three texts of 128 bytes
		sendBuffer: Math.max(HEADER_SIZE + largestOut + answersReserve(receiveMaximum), 512),
		receiveBuffer: largestIn,
		// MQTT 3.1.1 cannot tell it: what is longer arrives all the same, and must not end the connection
		...(settings.version === 5 ? { maximumPacketSize: largestIn } : {}),
		receiveMaximum,
		// SUBSCRIBEs, one after the other, have a place beside the messages
		inFlight: settings.inFlight + 1,
		manualRelease: true,
	};
	return options as unknown as ClientOptions;
}
