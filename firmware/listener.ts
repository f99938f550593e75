import Listener from "embedded:io/socket/listener";
import type { ListenerConstructor, ListenerOptions, TCP } from "../src/device";

const SDKListener = Listener as unknown as ListenerConstructor;

/**
 * The SDK's listener, asked only for connections that it has announced: one that has none makes a socket all the same,
 * pins it, and never frees it.
 */
export class CountedListener extends SDKListener {
	#waiting: { count: number };

	constructor({ onReadable, ...options }: ListenerOptions) {
		const waiting = { count: 0 };
		super({
			...options,
			onReadable(count) {
				waiting.count = count;
				onReadable?.(count);
			},
		});
		this.#waiting = waiting;
	}

	override read(): TCP | undefined {
		const waiting = this.#waiting;
		if (waiting.count === 0) return undefined;
		waiting.count--;
		return super.read();
	}
}
