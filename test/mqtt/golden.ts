import { connack, connect } from "./golden/connect";
import { acknowledge, publish } from "./golden/publish";
import type { GoldenRow } from "./golden/row";
import { session } from "./golden/session";
import { suback, subscribe, unsubscribe } from "./golden/subscribe";

/** Raw bytes ↔ packet or reason code, for every packet type in both versions and every rule of rejection. */
export const golden: readonly GoldenRow[] = [
	...connect,
	...connack,
	...publish,
	...acknowledge,
	...subscribe,
	...suback,
	...unsubscribe,
	...session,
];
