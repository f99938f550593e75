import TCP from "embedded:io/socket/tcp";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { TCPConstructor, TCPOptions } from "../../src/device";
import { peerOf, SessionCache } from "../../src/tls/session-cache";
import type { Native } from "./native";

/** Options of the firmware's TLS socket, `firmware/tls/socket`. */
interface TLSOptions extends TCPOptions {
	readonly secure?: BrokerTLSSettings;
	readonly kept?: Uint8Array;
}

/** Bytes of a master secret (RFC 5246 §8.1). */
const SECRET_SIZE = 48;

/**
 * The session of one connection. This machine has the real one: for the firmware its identifier is a number
 * by which this machine finds it, and its secret is empty.
 */
class OfferedSession {
	/** 64 hexadecimal digits; empty: none is offered. */
	readonly handle: string;
	socket = -1;
	readonly #cache: SessionCache;
	#isKept = false;

	constructor(kept: Uint8Array, peer: number) {
		this.#cache = new SessionCache(kept, peer);
		const id = this.#cache.getByHost()?.id;
		this.handle = id === undefined ? "" : hexadecimal(new Uint8Array(id));
	}

	/** Call when the socket is writable, that is, after the handshake. */
	keep(): void {
		if (this.#isKept) return;
		this.#isKept = true;
		const handle = (native("sim_tls_session") as Native).call(undefined, this.socket) as string;
		this.#cache.put(handle === "" ? undefined : bytesOf(handle), new Uint8Array(SECRET_SIZE));
	}
}

interface OpeningOptions extends TLSOptions {
	readonly session?: OfferedSession | undefined;
}

const Plain = TCP as unknown as TCPConstructor;

/** Stands for the firmware's TLS socket: TLS is this machine's. */
export default class TLSSocket extends Plain {
	constructor(options: TLSOptions) {
		const { kept, host, port, secure = {}, onWritable } = options;
		const peer = peerOf(host, port, secure);
		const session = kept && new OfferedSession(kept, peer);
		const opening: OpeningOptions = {
			...options,
			session,
			onWritable: (room) => {
				session?.keep();
				onWritable?.(room);
			},
		};
		super(opening);
	}

	protected open({ address, port, host, secure = {}, session }: OpeningOptions): number {
		const { serverName = host, ca, fingerprint, certificate, key } = secure;
		const id = (native("sim_tls_open") as Native).call(
			undefined,
			address,
			port,
			serverName,
			ca,
			fingerprint,
			certificate,
			key,
			session?.handle,
		) as number;
		if (session !== undefined) session.socket = id;
		return id;
	}
}

function hexadecimal(bytes: Uint8Array): string {
	let text = "";
	for (let i = 0; i < bytes.length; i++) text += (bytes[i] + 256).toString(16).slice(1);
	return text;
}

function bytesOf(digits: string): ArrayBuffer {
	const bytes = new Uint8Array(digits.length / 2);
	for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
	return bytes.buffer;
}
