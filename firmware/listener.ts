import Listener from "embedded:io/socket/listener";
import type { ListenerConstructor, ListenerOptions, TCP } from "../src/device";

const SDKListener = Listener as unknown as ListenerConstructor;

/**
 * The SDK's listener, read only for announced connections: if none is pending, the SDK creates a socket all
 * the same, pins it, and never frees it.
 */
export class CountedListener extends SDKListener {
	#announced: { count: number };

	constructor({ onReadable, ...options }: ListenerOptions) {
		const announced = { count: 0 };
		super({
			...options,
			onReadable(count) {
				announced.count = count;
				onReadable?.(count);
			},
		});
		this.#announced = announced;
	}

	override read(): TCP | undefined {
		const announced = this.#announced;
		if (announced.count === 0) return undefined;
		announced.count--;
		return super.read();
	}
}
