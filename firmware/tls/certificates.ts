import Resource from "Resource";
import { Digest } from "crypt";
import CertificateManager from "ssl/cert";
import X509 from "x509";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { ConnectionFailure } from "../../src/fault";
import {
	expiredCertificate,
	futureCertificate,
	handshakeFailure,
	plainFingerprint,
	unknownAuthority,
	unsetClock,
	unusableFile,
	wrongFingerprint,
	wrongName,
} from "../../src/tls/failures";
import { EARLIEST_SET_CLOCK_MS } from "../set-clock";
import { isForServer } from "./server-name";

/** Identifier of the extension that says whether a key may sign certificates (RFC 5280 §4.2.1.9). */
const BASIC_CONSTRAINTS = Object.freeze([2, 5, 29, 19]);
const DER_SEQUENCE = 0x30;
const DER_BOOLEAN = 0x01;

/**
 * Decides whether a broker is the right one. The SDK's manager trusts the public authorities whose keys are
 * in the image besides the configured one, takes no chain of one certificate, lets any certificate sign
 * others, and tells no reason.
 */
export class Certificates extends CertificateManager {
	/** Why the broker's certificate was refused. */
	failure: ConnectionFailure | undefined;
	/** It was accepted. */
	isVerified = false;
	readonly #ca: Uint8Array | undefined;
	readonly #fingerprint: string | undefined;
	readonly #serverName: string;

	/** @throws Error for a file that the image lacks, or that is not in DER */
	constructor({ ca, fingerprint, certificate, key }: BrokerTLSSettings, serverName: string) {
		super({
			verify: false,
			...(certificate === undefined ? {} : { clientCertificates: [readDER(certificate)] }),
			...(key === undefined ? {} : { clientKey: readDER(key) }),
		});
		this.#ca = ca === undefined ? undefined : readDER(ca);
		this.#fingerprint = fingerprint === undefined ? undefined : plainFingerprint(fingerprint);
		this.#serverName = serverName;
	}

	override verify(chain: readonly Uint8Array[]): boolean {
		this.failure = chain.length === 0 ? handshakeFailure("no certificate") : this.failureOf(chain);
		this.isVerified = this.failure === undefined;
		return this.isVerified;
	}

	private failureOf(chain: readonly Uint8Array[]): ConnectionFailure | undefined {
		if (this.#fingerprint !== undefined) {
			const digest = new Digest("SHA256");
			digest.write(chain[0] as unknown as ArrayBuffer);
			const actual = hexadecimal(new Uint8Array(digest.close()));
			if (actual !== this.#fingerprint) return wrongFingerprint(actual);
		}
		if (this.#ca === undefined) return undefined;
		const count = this.trustedLength(this.#ca, chain);
		if (count === 0) return unknownAuthority();
		for (let i = 0; i < count; i++) {
			const failure = dateFailure(chain[i]);
			if (failure !== undefined) return failure;
		}
		return (
			dateFailure(this.#ca) ??
			(isForServer(X509.decodeSAN(chain[0]), this.#serverName) ? undefined : wrongName(this.#serverName))
		);
	}

	/** Certificates of the chain up to the one that the authority signed; 0: it signed none. */
	private trustedLength(ca: Uint8Array, chain: readonly Uint8Array[]): number {
		for (let i = 0; i < chain.length; i++) {
			// Any other than the first has signed the one before it.
			if (i > 0 && !(maySign(chain[i]) && this.hasSigned(chain[i], chain[i - 1]))) return 0;
			if (this.hasSigned(ca, chain[i])) return i + 1;
		}
		return 0;
	}

	private hasSigned(issuer: Uint8Array, certificate: Uint8Array): boolean {
		try {
			return this._verify(X509.decodeSPKI(issuer), X509.decode(certificate));
		} catch {
			// An algorithm that the SDK does not have
			return false;
		}
	}
}

function dateFailure(certificate: Uint8Array): ConnectionFailure | undefined {
	const { from, to } = X509.decodeTBS(X509.decode(certificate).tbs).validity;
	const now = Date.now();
	if (now < EARLIEST_SET_CLOCK_MS) return unsetClock();
	return now < from ? futureCertificate() : now > to ? expiredCertificate() : undefined;
}

/** Whether `cA` is TRUE: SEQUENCE { BOOLEAN TRUE, … }. */
function maySign(certificate: Uint8Array): boolean {
	const constraints = X509.decodeExtension(certificate, BASIC_CONSTRAINTS);
	if (constraints === undefined) return false;
	const bytes = new Uint8Array(constraints);
	return bytes.length >= 5 && bytes[0] === DER_SEQUENCE && bytes[2] === DER_BOOLEAN && bytes[4] === 0xff;
}

function hexadecimal(bytes: Uint8Array): string {
	let text = "";
	for (let i = 0; i < bytes.length; i++) text += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
	return text;
}

/** @param file its name in the image is the last part of the path */
function readDER(file: string): Uint8Array {
	const name = file.slice(file.lastIndexOf("/") + 1);
	let bytes: Uint8Array;
	try {
		bytes = new Uint8Array(new Resource(name) as unknown as ArrayBuffer);
	} catch {
		throw new Error(unusableFile(name, "is not in the image: add it to data of the manifest").message);
	}
	if (bytes[0] !== DER_SEQUENCE) throw new Error(unusableFile(name, "is not in DER").message);
	return bytes;
}
