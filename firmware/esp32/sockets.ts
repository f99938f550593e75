import SDKTCP from "embedded:io/socket/tcp";
import type { TCPConstructor, TCPOptions } from "../../src/device";

const PlainTCP = SDKTCP as unknown as TCPConstructor;

function holdNetwork(this: void): void {
	native("xs_firefly_network_hold").call(this);
}

function releaseNetwork(this: void): void {
	native("xs_firefly_network_release").call(this);
}

function acknowledgeSoon(this: void): void {
	native("xs_firefly_network_acknowledge_soon").call(this);
}

/**
 * The SDK's socket, with acknowledgements of TCP within 10 ms in the first three seconds: many a broker waits
 * for that of CONNACK with its next answer (`sockets.c`).
 *
 * It takes over an accepted connection while lwIP stands still. Without that, what the peer sends meanwhile
 * is lost: lwIP hands it to the donor, whose buffers were taken over already, or to the new socket before it
 * has its callbacks. The broker would wait for a CONNECT that has arrived.
 */
export class ChipTCP extends PlainTCP {
	static override readonly hasTarget = true;

	constructor(options: TCPOptions) {
		if (options.from === undefined) {
			super(options);
			acknowledgeSoon();
			return;
		}
		holdNetwork();
		try {
			super(options);
		} finally {
			releaseNetwork();
		}
	}
}
