/**
 * A message and where its parts lie in `bytes`; one object is filled again and again. It owns none of the
 * bytes: it is valid until the memory they lie in changes.
 */
export class Message {
	bytes: Uint8Array;
	topicStart = 0;
	topicEnd = 0;
	/** The properties as they came in, without their length; empty from a 3.1.1 client. */
	propertiesStart = 0;
	propertiesEnd = 0;
	payloadStart = 0;
	payloadEnd = 0;
	qos = 0;
	retain = false;
	/** When it arrived, in ms of the broker's clock. */
	arrivedAtMs = 0;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}

	/** Bytes of its parts together. */
	get size(): number {
		return (
			this.topicEnd -
			this.topicStart +
			(this.propertiesEnd - this.propertiesStart) +
			(this.payloadEnd - this.payloadStart)
		);
	}
}
