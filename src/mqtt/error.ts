import type { FailureCode } from "./constants";

/**
 * A request that MQTT does not allow, thrown by encoder and property writer. Received data never causes it:
 * see `DecoderHandler.onError`.
 */
export class MQTTError extends Error {
	/** The MQTT 5.0 reason code (§2.4) that a peer would answer with. */
	readonly reasonCode: FailureCode;

	constructor(reasonCode: FailureCode, message: string) {
		super(message);
		this.reasonCode = reasonCode;
	}

	static {
		// Not a field: assigning to an inherited name that is frozen in ROM throws.
		Object.defineProperty(MQTTError.prototype, "name", { value: "MQTTError" });
	}
}
