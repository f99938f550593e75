import { nodeListener } from "../../../sim/service/node-listener";
import { NodeTCP } from "../../../sim/service/node-tcp";
import { nodeTime, nodeTimer } from "../../../sim/service/node-timer";
import type { Host } from "../../../src/broker/pool/host";

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The host of `firefly broker --engine node`, on 127.0.0.1; traces other than closings are errors. */
export function nodeHost(): Host & Required<Pick<Host, "listener">> {
	const listener = nodeListener({
		addresses: ["127.0.0.1"],
		handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
		listening() {},
		failed(error) {
			throw error;
		},
	});
	return {
		tcp: { io: NodeTCP },
		listener: { io: listener },
		timer: nodeTimer,
		time: nodeTime,
		trace(message) {
			if (!message.startsWith("broker: closed ")) throw new Error(message);
		},
		newViews: true,
		lingeringClose: true,
	};
}
