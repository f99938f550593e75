import type { ClientError } from "../client/errors";
import { UNSUPPORTED_PROTOCOL_VERSION } from "../mqtt/constants";

/** CONNECT has the level; whether the other broker knows it is not known yet. */
const TRIED = 0;
/** It has accepted the level. */
const KNOWN = 1;
/** It had no answer to the level: whether it has one to the level of any client is not known yet. */
const CHECKED = 2;
/** CONNECT is that of any client. */
const PLAIN = 3;

/**
 * Whether CONNECT says over MQTT 3.1.1 that it is a bridge's, by its protocol level. It does, until the other
 * broker refuses that, which holds until the device starts again. A broker may refuse it as an unknown
 * version, close, or never answer: then a CONNECT of the plain level follows at once, so that one which just
 * stops is not taken for one which refuses.
 */
export class BridgeLevel {
	private state: typeof TRIED | typeof KNOWN | typeof CHECKED | typeof PLAIN = TRIED;

	/** Whether the next CONNECT has the level. */
	get isUsed(): boolean {
		return this.state === TRIED || this.state === KNOWN;
	}

	/** The other broker has accepted the connection. @returns whether as that of a bridge */
	onOpen(): boolean {
		if (this.state === TRIED) this.state = KNOWN;
		else if (this.state === CHECKED) this.state = PLAIN;
		return this.state === KNOWN;
	}

	/** The connection has ended. @returns whether the next one is to follow at once */
	onClosed(error: ClientError | undefined): boolean {
		const { state } = this;
		if (state === CHECKED) this.state = TRIED;
		else if (error?.reasonCode === UNSUPPORTED_PROTOCOL_VERSION && state !== PLAIN) this.state = PLAIN;
		else if (error?.isConnectUnanswered && state === TRIED) this.state = CHECKED;
		else return false;
		return state !== CHECKED;
	}
}
