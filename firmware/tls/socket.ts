import Session from "ssl/session";
import Timer from "timer";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { Device, TCP, TCPConstructor, TCPOptions } from "../../src/device";
import type { ConnectionFailure } from "../../src/fault";
import { TLS_SESSION_BYTES } from "../../src/retained-memory";
import {
	brokenConnection,
	certificateRefused,
	closedHandshake,
	handshakeFailure,
} from "../../src/tls/failures";
import { peerOf, SessionCache } from "../../src/tls/session-cache";
import { Certificates } from "./certificates";
import { HandshakeOrder } from "./handshake-order";
import { RecordQueue } from "./record-queue";
import { isIPv4 } from "./server-name";

/** The SDK speaks TLS 1.2. */
const TLS_1_2 = 0x303;
/**
 * Most bytes that a record adds: header, explicit IV, MAC of SHA-256, padding of a block (RFC 5246 §6.2.3).
 */
const RECORD_OVERHEAD = 5 + 16 + 32 + 16;
/** Longest data of a record (§6.2.1). */
const RECORD_LIMIT = 16_384;
/** Alerts about certificates, and handshake_failure, which stands for a missing one (§7.2). */
const CERTIFICATE_ALERTS = Object.freeze([40, 42, 43, 44, 45, 46, 48, 49]);
// Messages after which the session goes on without reading: HelloRequest, ServerHelloDone, Finished (§7.4)
const FINISHED = 20;
const OWN_STEPS = Object.freeze([0, 14, FINISHED]);

/** Options besides those of a TCP socket. */
interface TLSOptions extends TCPOptions {
	/** The socket below: its class, and further options for it. */
	readonly TCP?: Device["tcp"];
	readonly secure?: BrokerTLSSettings;
	/** `TLS_SESSION_BYTES` bytes: what the last connection has left for the next one to resume. */
	readonly kept?: Uint8Array;
}

/**
 * TLS over another socket, in the shape of ECMA-419's TCP socket; `onWritable` is called first when the
 * handshake is complete and the certificate is the right one. The protocol is that of the SDK's
 * `ssl/session`, which, unlike the rest of the client, allocates for each record. Sessions are resumed by
 * identifier, for a day at most, if the broker keeps them.
 */
export default class TLSSocket implements TCP {
	readonly #options: TLSOptions;
	readonly #certificates: Certificates;
	readonly #cache: SessionCache;
	readonly #queue = new RecordQueue();
	#session: Session | undefined;
	/** TCP is established, and so is TLS. */
	#connected = false;
	#ready = false;
	/** Decrypted data, and how much of it was read. */
	#data: Uint8Array | undefined;
	#position = 0;
	#delivering = false;
	/** The socket below has ended. */
	#isOver = false;
	#timer: ReturnType<typeof Timer.set> | undefined;

	/** @throws Error for a file that cannot be used, and any error of the socket below */
	constructor(options: TLSOptions) {
		const { TCP, secure = {}, host = "", address, port } = options;
		const { kept = new Uint8Array(TLS_SESSION_BYTES) } = options;
		if (TCP === undefined) throw new Error("TLS needs a socket below it: option TCP");
		const { serverName = host } = secure;
		this.#options = options;
		this.#certificates = new Certificates(secure, serverName);
		const session = new Session({
			protocolVersion: TLS_1_2,
			// RFC 6066 §3: no addresses
			...(isIPv4(serverName) || serverName.includes(":") ? {} : { serverName }),
		});
		session.certificateManager = this.#certificates;
		this.#cache = new SessionCache(kept, peerOf(host, port, secure));
		session.cacheManager = this.#cache;
		session.initiateHandshake();
		this.#session = session;
		this.#queue.order = new HandshakeOrder();
		this.#queue.tcp = new TCP.io({
			...TCP,
			host,
			...(address === undefined ? {} : { address }),
			...(port === undefined ? {} : { port }),
			nodelay: options.nodelay ?? true,
			onReadable: (bytes) => this.onSocketReadable(bytes),
			onWritable: (bytes) => this.onSocketWritable(bytes),
			onError: (failure) => this.onSocketError(failure),
		});
	}

	get remoteAddress(): string | undefined {
		return this.#queue.tcp?.remoteAddress;
	}

	read(buffer: Uint8Array): number | undefined {
		const data = this.#data;
		const { length } = buffer;
		if (data === undefined) return undefined;
		if (length === 0 || length > data.length - this.#position) throw new Error("invalid");
		for (let i = 0, from = this.#position; i < length; i++) buffer[i] = data[from + i];
		this.#position += length;
		if (this.#position === data.length) this.#data = undefined;
		if (this.#data === undefined && !this.#delivering && (this.#queue.readable > 0 || this.#isOver))
			this.deliverLater();
		return length;
	}

	write(buffer: Uint8Array): number | undefined {
		const session = this.#session;
		const queue = this.#queue;
		if (session === undefined || !this.#ready || queue.isLost) return undefined;
		if (buffer.length > this.room) throw new Error("would block");
		if (buffer.length > 0) session.write(queue, buffer);
		return queue.isLost ? undefined : this.room;
	}

	close(): void {
		const session = this.#session;
		const queue = this.#queue;
		const { tcp } = queue;
		this.#session = undefined;
		this.#data = undefined;
		Timer.clear(this.#timer);
		try {
			if (this.#ready && !queue.isLost && queue.isEmpty && queue.room > RECORD_OVERHEAD)
				session?.close(queue);
		} catch {
			// The connection is over, and needs no alert.
		}
		queue.tcp = undefined;
		tcp?.close();
	}

	/** Bytes of data that are sure to fit, as one record, into the room of the socket. */
	private get room(): number {
		const { isEmpty, room } = this.#queue;
		if (!isEmpty || room <= RECORD_OVERHEAD) return 0;
		return room - RECORD_OVERHEAD < RECORD_LIMIT ? room - RECORD_OVERHEAD : RECORD_LIMIT;
	}

	private onSocketWritable(bytes: number): void {
		const queue = this.#queue;
		this.#connected = true;
		queue.room = bytes;
		queue.flush();
		if (!this.#ready) this.shakeHands();
		else if (this.#session !== undefined) this.#options.onWritable?.(this.room);
	}

	private onSocketReadable(bytes: number): void {
		this.#queue.readable = bytes;
		if (!this.#ready) this.shakeHands();
		if (this.#ready) this.deliver();
	}

	private onSocketError(failure: ConnectionFailure | undefined): void {
		this.#isOver = true;
		// As with the socket below, the end follows the last data.
		if (this.#data === undefined)
			this.end(failure ?? (this.#connected && !this.#ready ? closedHandshake() : undefined));
	}

	/** Goes on with the handshake as far as records have arrived. */
	private shakeHands(): void {
		const queue = this.#queue;
		try {
			for (let isDone = false; !isDone; ) {
				const session = this.#session;
				if (session === undefined) return;
				if (!OWN_STEPS.includes(session.handshakeProcess) && queue.readable === 0) return;
				// The last step forgets the identifier.
				const id = session.handshakeProcess === FINISHED ? session.serverSessionID : undefined;
				isDone = session.handshake(queue);
				if (isDone && session.alert !== undefined) throw new Error("closed by the broker");
				if (isDone && !this.#certificates.isVerified && !this.#cache.isOffered)
					throw new Error("the broker has shown no certificate");
				if (isDone) this.#cache.put(id, session.masterSecret);
			}
		} catch (error) {
			this.end(this.#certificates.failure ?? this.handshakeFailure(error));
			return;
		}
		this.#ready = true;
		this.#options.onWritable?.(this.room);
	}

	private handshakeFailure(error: unknown): ConnectionFailure {
		const session = this.#session;
		const description = session?.alert?.description;
		if (description === undefined) return handshakeFailure(String(error));
		if (session?.clientCerts !== undefined && CERTIFICATE_ALERTS.includes(description))
			return certificateRefused(session.clientCerts.length > 0);
		return handshakeFailure(`alert ${description} of the broker`);
	}

	/** Decrypts records, and announces their data until the user leaves some. */
	private deliver(): void {
		if (this.#delivering) return;
		this.#delivering = true;
		try {
			while (this.#session !== undefined && this.decrypt())
				this.#options.onReadable?.(this.#data!.length - this.#position);
		} finally {
			this.#delivering = false;
		}
		if (this.#isOver && this.#data === undefined) this.end(undefined);
	}

	/** @returns whether there is new data */
	private decrypt(): boolean {
		if (this.#data !== undefined) return false;
		let data: Uint8Array | undefined | null;
		try {
			// A record may be empty.
			do data = this.#session!.read(this.#queue);
			while (data?.length === 0 && this.#queue.readable > 0);
		} catch (error) {
			this.end(brokenConnection(String(error)));
			return false;
		}
		if (data === null) this.end(undefined);
		if (data === undefined || data === null || data.length === 0) return false;
		this.#data = data;
		this.#position = 0;
		return true;
	}

	private deliverLater(): void {
		this.#timer ??= Timer.set(() => {
			this.#timer = undefined;
			this.deliver();
		}, 0);
	}

	private end(failure: ConnectionFailure | undefined): void {
		if (this.#session === undefined) return;
		this.#session = undefined;
		this.#options.onError?.(failure);
	}
}

TLSSocket satisfies TCPConstructor;
