import type { QoS } from "../../mqtt/constants";

/**
 * A message, as positions of its parts in `bytes`; one object is reused for many messages. It does not own
 * the bytes, and is valid until they change.
 */
export class Message {
	bytes: Uint8Array;
	topicStart = 0;
	topicEnd = 0;
	/** The properties as received, without their length; empty from a 3.1.1 client. */
	propertiesStart = 0;
	propertiesEnd = 0;
	payloadStart = 0;
	payloadEnd = 0;
	qos: QoS = 0;
	retain = false;
	/** Arrival time, ms of the broker's clock. */
	arrivedAtMs = 0;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}

	/** Size of all parts together, bytes. */
	get size(): number {
		return (
			this.topicEnd -
			this.topicStart +
			(this.propertiesEnd - this.propertiesStart) +
			(this.payloadEnd - this.payloadStart)
		);
	}
}
