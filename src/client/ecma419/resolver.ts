import type { Device } from "../../device";
import type { Resolver, ResolverOptions } from "./options";

/** `Device.resolve` by means of an ECMA-419 resolver, which exists from the first name to `close()`. */
export class NameResolver {
	readonly #options: ResolverOptions;
	#resolver: Resolver | undefined;

	constructor(options: ResolverOptions) {
		this.#options = options;
	}

	resolve(host: string, callback: Parameters<Device["resolve"]>[1]): void {
		let settled = false;
		const settle = (address: string | undefined): void => {
			if (settled) return;
			settled = true;
			callback(address);
		};
		this.#resolver ??= new this.#options.io(this.#options);
		this.#resolver.resolve(
			{ host, onResolved: (_host, address) => settle(address), onError: () => settle(undefined) },
			(error, address) => settle(error ? undefined : address),
		);
	}

	/** Not inside a callback of the resolver: the SDK's still reads from its socket there. */
	close(): void {
		this.#resolver?.close?.();
		this.#resolver = undefined;
	}
}
