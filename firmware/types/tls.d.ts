/** The SDK's TLS, limited to the members that are used; the SDK has no types of its own for it. */

declare module "x509" {
	/** Parts of a certificate in DER. */
	interface Decoded {
		readonly tbs: Uint8Array;
	}
	interface SubjectName {
		/** 2: a DNS name, 7: an IP address (RFC 5280 §4.2.1.6). */
		readonly tag: number;
		readonly value: string | ArrayBuffer;
	}
	const X509: {
		decode(certificate: Uint8Array): Decoded;
		decodeTBS(tbs: Uint8Array): { readonly validity: { readonly from: number; readonly to: number } };
		decodeSPKI(certificate: Uint8Array): object;
		decodeSAN(certificate: Uint8Array): readonly SubjectName[] | undefined;
		decodeExtension(certificate: Uint8Array, identifier: readonly number[]): Uint8Array | undefined;
	};
	export default X509;
}

declare module "ssl/cert" {
	export default class CertificateManager {
		constructor(options: {
			readonly verify?: boolean;
			readonly clientCertificates?: readonly Uint8Array[];
			readonly clientKey?: Uint8Array;
		});
		/** Whether the chain of the server, its own certificate first, is to be trusted. */
		verify(certificates: readonly Uint8Array[], options: object): boolean;
		/** Whether a certificate was signed with the key of `spki`. */
		_verify(spki: object, certificate: object): boolean;
	}
}

declare module "ssl/session" {
	import type CertificateManager from "ssl/cert";

	/** What a session reads from and writes to; it changes both numbers. */
	export interface RecordSocket {
		readable: number;
		writable: number;
		read(buffer: Uint8Array): unknown;
		write(record: ArrayBuffer | Uint8Array): number;
	}
	export default class Session {
		constructor(options: { readonly protocolVersion: number; readonly serverName?: string });
		certificateManager: CertificateManager;
		/** Called with the server's name, if it has one. */
		cacheManager: {
			/** The session to offer. */
			getByHost(
				host: string | undefined,
			): { readonly id: ArrayBuffer; readonly secret: ArrayBuffer } | undefined;
			/** The handshake is complete; not called without a name. */
			saveSession(host: string, id: ArrayBuffer, secret: ArrayBuffer): void;
			/** The server has not resumed the session that was offered. */
			deleteSessionID(id: ArrayBuffer): void;
		};
		/** Type of the last message of the handshake, or −1. */
		readonly handshakeProcess: number;
		readonly alert?: { readonly level: number; readonly description: number };
		/** During the handshake; undefined: the server keeps no session. */
		readonly serverSessionID: ArrayBuffer | undefined;
		/** Present from the key exchange on, or from the beginning if a session is offered. */
		readonly masterSecret: ArrayBuffer | Uint8Array;
		/** Present while the server has asked for a certificate. */
		readonly clientCerts?: readonly Uint8Array[];
		initiateHandshake(): void;
		/** @returns whether the handshake has ended, with `alert` or well */
		handshake(socket: RecordSocket): boolean;
		/** @returns the data of a record; undefined: none is complete; null: the server has closed */
		read(socket: RecordSocket): Uint8Array | undefined | null;
		write(socket: RecordSocket, data: Uint8Array): number;
		close(socket: RecordSocket): void;
	}
}
