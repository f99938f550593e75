import {
	type CheckResult,
	MALFORMED_PACKET,
	NO_LOCAL,
	PROTOCOL_ERROR,
	RETAIN_HANDLING,
	type Version,
} from "./constants";

/** Returns 0, or the reason code with which subscription options (§3.8.3.1) are refused. */
export function checkSubscriptionOptions(options: number, shared: boolean, version: Version): CheckResult {
	if (version === 4) return options > 2 ? MALFORMED_PACKET : 0; // [MQTT-3.1.1:3-8.3-4]
	if ((options & 0xc0) !== 0) return MALFORMED_PACKET; // [MQTT-3.8.3-5]
	if ((options & 3) === 3) return PROTOCOL_ERROR; // §3.8.3.1, maximum QoS
	if ((options & RETAIN_HANDLING) === RETAIN_HANDLING) return PROTOCOL_ERROR; // §3.8.3.1, retain handling
	if (shared && (options & NO_LOCAL) !== 0) return PROTOCOL_ERROR; // [MQTT-3.8.3-4]
	return 0;
}
