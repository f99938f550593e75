import type { ClientDevice } from "../../../src/client/client";
import type {
	MQTTClientOptions,
	ResolveCallback,
	ResolveOptions,
	ResolverOptions,
	SocketOptions,
} from "../../../src/client/ecma419/options";
import type { Platform } from "../../../src/client/ecma419/session";

export interface Environment {
	readonly platform: Platform;
	readonly network: { readonly dns: ResolverOptions; readonly socket: SocketOptions };
	/** Resolvers that were closed. */
	readonly closedResolvers: number;
}

/**
 * What a platform and its host provider give to the class, on the network of a test.
 * @param style how the resolver answers: as ECMA-419 has it, or as the SDK's does
 */
export function environment(device: ClientDevice, style: "ECMA-419" | "SDK" = "SDK"): Environment {
	let closedResolvers = 0;
	class Resolver {
		resolve({ host, onResolved, onError }: ResolveOptions, callback: ResolveCallback): void {
			device.resolve(host, (address) => {
				if (style === "ECMA-419")
					callback(address === undefined ? new Error("not found") : undefined, address);
				else if (address === undefined) onError();
				else onResolved(host, address);
			});
		}
		close(): void {
			closedResolvers++;
		}
	}
	return {
		platform: { timer: device.timer, time: device.time },
		network: { dns: { io: Resolver }, socket: { io: device.tcp.io, secure: { verify: false } } },
		get closedResolvers() {
			return closedResolvers;
		},
	};
}

export type ProgramOptions = Partial<Omit<MQTTClientOptions, "dns" | "socket">>;

export function text(bytes: ArrayBuffer | undefined): string {
	return bytes === undefined ? "" : Buffer.from(bytes).toString();
}

export function bytes(string: string): ArrayBuffer {
	return Uint8Array.from(Buffer.from(string)).buffer;
}
