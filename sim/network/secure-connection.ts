import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import tls from "node:tls";
import type { ConnectionFailure } from "../../src/fault";
import {
	certificateRefused,
	closedHandshake,
	expiredCertificate,
	futureCertificate,
	handshakeFailure,
	noTLS,
	plainFingerprint,
	unknownAuthority,
	unusableFile,
	wrongFingerprint,
	wrongName,
} from "../../src/tls/failures";

/** What a client with TLS checks, and shows of itself: `broker.tls` of the configuration. */
export interface SecureOptions {
	/** Name or address that the certificate must have. */
	readonly serverName: string;
	/** Files in PEM or DER. */
	readonly ca?: string | undefined;
	readonly certificate?: string | undefined;
	readonly key?: string | undefined;
	/** SHA-256 of the server's certificate, in hexadecimal digits. */
	readonly fingerprint?: string | undefined;
	/** From an earlier connection to the same server with the same options, to be resumed. */
	readonly session?: Buffer | undefined;
}

/** Failures before the connection is made; OpenSSL's names of others begin with ERR_. */
const TCP_ERRORS = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);
const UNKNOWN_AUTHORITY = new Set([
	"DEPTH_ZERO_SELF_SIGNED_CERT",
	"SELF_SIGNED_CERT_IN_CHAIN",
	"UNABLE_TO_GET_ISSUER_CERT",
	"UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
	"UNABLE_TO_VERIFY_LEAF_SIGNATURE",
	"CERT_SIGNATURE_FAILURE",
	"CERT_UNTRUSTED",
]);

/** An outgoing connection over TLS on this machine. */
export class SecureConnection {
	readonly socket: tls.TLSSocket;
	/** Why it failed; undefined: it has not, or for a reason that has nothing to do with TLS. */
	failure: ConnectionFailure | undefined;
	readonly #options: SecureOptions;
	#established = false;

	/**
	 * TLS 1.2 at most, as the SDK has it.
	 * @param address IP address
	 * @param directory that files are relative to
	 * @param onEstablished called once the handshake is complete and the certificate is the right one
	 * @throws Error for a file that cannot be used
	 */
	constructor(
		address: string,
		port: number,
		options: SecureOptions,
		directory: string,
		onEstablished: () => void,
	) {
		const { serverName, ca, certificate, key, session } = options;
		this.#options = options;
		const socket = tls.connect({
			host: address,
			port,
			maxVersion: "TLSv1.2",
			...(isIP(serverName) === 0 ? { servername: serverName } : {}),
			// Without an authority the fingerprint alone decides.
			rejectUnauthorized: ca !== undefined,
			checkServerIdentity: (_host, peer) => identityProblem(serverName, peer),
			...(ca === undefined ? {} : { ca: certificatePEM(ca, directory) }),
			...(certificate === undefined ? {} : { cert: certificatePEM(certificate, directory) }),
			...(key === undefined ? {} : { key: keyPEM(key, directory) }),
			...(session === undefined ? {} : { session }),
		});
		this.socket = socket;
		socket.allowHalfOpen = true;
		socket.once("secureConnect", () => {
			this.#established = true;
			if (this.#checkFingerprint(socket)) onEstablished();
			else socket.destroy();
		});
		socket.once("error", (error: NodeJS.ErrnoException) => {
			this.failure ??= this.#failureOf(error);
		});
		socket.once("end", () => {
			if (!this.#established) this.failure ??= closedHandshake();
		});
	}

	/** What a later connection may resume; undefined: nothing yet. */
	get session(): Buffer | undefined {
		return this.#established ? this.socket.getSession() : undefined;
	}

	/** The session that was offered goes on, without a certificate. */
	get isResumed(): boolean {
		return this.socket.isSessionReused();
	}

	#checkFingerprint(socket: tls.TLSSocket): boolean {
		const { fingerprint } = this.#options;
		if (fingerprint === undefined) return true;
		const actual = plainFingerprint(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
		if (actual === plainFingerprint(fingerprint)) return true;
		this.failure = wrongFingerprint(actual);
		return false;
	}

	#failureOf({ code = "", message }: NodeJS.ErrnoException): ConnectionFailure | undefined {
		const { serverName, certificate } = this.#options;
		if (TCP_ERRORS.has(code)) return undefined;
		if (UNKNOWN_AUTHORITY.has(code)) return unknownAuthority();
		if (code === "CERT_HAS_EXPIRED") return expiredCertificate();
		if (code === "CERT_NOT_YET_VALID") return futureCertificate();
		if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(serverName);
		// A broker that wants a certificate says so with one of several alerts (RFC 5246 §7.4.6, RFC 8446 §6.2).
		if (
			/ALERT_(HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE)/.test(
				code,
			)
		)
			return certificateRefused(certificate !== undefined);
		if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) return noTLS();
		if (code === "ECONNRESET") return this.#established ? undefined : closedHandshake();
		return handshakeFailure(code || message);
	}
}

/** Node takes the common name where there is no other; a chip does not (RFC 9525 §2). */
function identityProblem(serverName: string, peer: tls.PeerCertificate): Error | undefined {
	if (peer.subjectaltname !== undefined) return tls.checkServerIdentity(serverName, peer);
	return Object.assign(new Error("no subjectAltName"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
}

function certificatePEM(name: string, directory: string): string {
	const content = fileContent(name, directory);
	try {
		// PEM may hold several certificates, which stay as they are.
		return isPEM(content) ? content.toString() : new X509Certificate(content).toString();
	} catch {
		throw new Error(unusableFile(name, "is no certificate").message);
	}
}

function keyPEM(name: string, directory: string): string {
	const content = fileContent(name, directory);
	if (isPEM(content)) return content.toString();
	const lines = content.toString("base64").replace(/.{64}/g, "$&\n");
	return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

function fileContent(name: string, directory: string): Buffer {
	try {
		return readFileSync(resolve(directory, name));
	} catch {
		throw new Error(unusableFile(name, "cannot be read").message);
	}
}

function isPEM(content: Buffer): boolean {
	return content.includes("-----BEGIN");
}
