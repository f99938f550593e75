import { CountedListener as SDKListener } from "firefly/counted-listener";
import type { ListenerOptions } from "../../src/device";
import { ignoreBrokenPipes } from "./pipes";
import { requireFreePort } from "./ports";

/** That of the broker's library in mcsim, which neither a busy port nor a client that vanishes ends. */
export class CountedListener extends SDKListener {
	/** @throws if the port is in use */
	constructor(options: ListenerOptions) {
		ignoreBrokenPipes();
		requireFreePort(options.port);
		super(options);
	}
}
