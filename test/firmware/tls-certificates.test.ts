/** The checks of the firmware's TLS, with openssl's certificates; what the SDK decodes is Node's here. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, mock, test } from "node:test";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { ConnectionFailure } from "../../src/fault";
import { type Certificate, CertificateFolder, opensslInstalled } from "../support/certificates";
import { loadModule } from "./module-loader";

const skip = opensslInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "openssl is not installed";

interface Certificates {
	failure: ConnectionFailure | undefined;
	verify(chain: readonly Uint8Array[]): boolean;
}

const resources = new Map<string, Buffer>();
/** Options that the SDK's manager was given. */
let managerOptions: object | undefined;

class Resource {
	constructor(name: string) {
		const content = resources.get(name);
		if (content === undefined) throw new Error("resource not found");
		// biome-ignore lint/correctness/noConstructorReturn: as the SDK's class, which is a buffer
		return Uint8Array.from(content).buffer as unknown as Resource;
	}
}

class CertificateManager {
	constructor(options: object) {
		managerOptions = options;
	}
	_verify(spki: X509Certificate, certificate: X509Certificate): boolean {
		return certificate.verify(spki.publicKey);
	}
}

class Digest {
	readonly hash = createHash("sha256");
	write(bytes: Uint8Array): void {
		this.hash.update(bytes);
	}
	close(): ArrayBuffer {
		return Uint8Array.from(this.hash.digest()).buffer;
	}
}

const read = (bytes: Uint8Array): X509Certificate => new X509Certificate(bytes);
const X509 = {
	decode: (bytes: Uint8Array) => Object.assign(read(bytes), { tbs: bytes }),
	decodeTBS: (bytes: Uint8Array) => {
		const { validFrom, validTo } = read(bytes);
		return { validity: { from: Date.parse(validFrom), to: Date.parse(validTo) } };
	},
	decodeSPKI: read,
	decodeSAN: (bytes: Uint8Array) =>
		(read(bytes).subjectAltName ?? "")
			.split(", ")
			.map((text) =>
				text.startsWith("DNS:")
					? { tag: 2, value: text.slice(4) }
					: { tag: 7, value: Uint8Array.from(text.slice(11).split("."), Number).buffer },
			),
	decodeExtension: (bytes: Uint8Array) =>
		read(bytes).ca ? Uint8Array.of(0x30, 3, 1, 1, 0xff) : Uint8Array.of(0x30, 0),
};

const { Certificates } =
	skip === false
		? await loadModule<{ Certificates: new (settings: BrokerTLSSettings, name: string) => Certificates }>(
				"firmware/tls/certificates",
				{
					modules: {
						crypt: { Digest },
						Resource: { default: Resource },
						"ssl/cert": { default: CertificateManager },
						x509: { default: X509 },
					},
				},
			)
		: { Certificates: undefined as never };

const folder = skip === false ? new CertificateFolder() : undefined;
const made = new Map<string, Certificate>();
const der = (name: string): Buffer => readFileSync(made.get(name)!.der);
before(() => {
	if (folder === undefined) return;
	const names = "DNS:broker.example,IP:192.168.1.10";
	const make = (name: string, options: Parameters<CertificateFolder["make"]>[1] = {}): void => {
		made.set(name, folder.make(name, options));
		resources.set(`${name}.der`, der(name));
	};
	make("ca");
	make("other-ca");
	const issuer = made.get("ca")!;
	make("server", { names, issuer });
	make("intermediate", { issuer });
	make("behind", { names, issuer: made.get("intermediate")! });
	make("forged", { names, issuer: made.get("server")! });
	make("expired", { names, issuer, days: ["20200101000000Z", "20210101000000Z"] });
	make("future", { names, issuer, days: ["20480101000000Z", "20490101000000Z"] });
	resources.set("text.der", Buffer.from("text"));
});
after(() => folder?.remove());

/** Why a chain is refused; undefined: it is not. */
function failureOf(
	settings: BrokerTLSSettings,
	names: readonly string[],
	serverName = "broker.example",
): string | undefined {
	const certificates = new Certificates(settings, serverName);
	const accepted = certificates.verify(names.map(der));
	assert.equal(accepted, certificates.failure === undefined);
	return certificates.failure?.message;
}

const ca = { ca: "certs/ca.der" };

test("a chain to the authority is accepted: of one certificate, through another, with the root itself", {
	skip,
}, () => {
	for (const chain of [
		["server"],
		["server", "ca"],
		["behind", "intermediate"],
		["behind", "intermediate", "ca"],
	])
		assert.equal(failureOf(ca, chain), undefined, chain.join());
	assert.equal(failureOf(ca, ["server"], "192.168.1.10"), undefined);
	assert.equal(
		failureOf({ ca: "server.der" }, ["server"]),
		"the broker's certificate is not signed by the authority of tls.ca",
	);
});

test("what another has signed, or nobody that may, is refused", { skip }, () => {
	const unknown = "the broker's certificate is not signed by the authority of tls.ca";
	assert.equal(failureOf({ ca: "other-ca.der" }, ["server"]), unknown);
	assert.equal(failureOf(ca, ["behind"]), unknown, "the certificate between is missing");
	assert.equal(failureOf(ca, ["forged", "server"]), unknown, "the server may not sign");
	assert.equal(failureOf(ca, ["other-ca", "server"]), unknown, "the second has not signed the first");
	assert.match(failureOf(ca, []) ?? "", /no certificate/);
});

test("dates count, by a clock that is set", { skip }, () => {
	assert.equal(failureOf(ca, ["expired"]), "the broker's certificate has expired");
	assert.equal(failureOf(ca, ["future"]), "the broker's certificate is not valid yet, or the clock is wrong");
	mock.timers.enable({ apis: ["Date"], now: 5000 });
	try {
		assert.equal(
			failureOf(ca, ["server"]),
			"the clock is not set: the dates of certificates cannot be checked",
		);
		const fingerprint = made.get("server")!.fingerprint;
		assert.equal(failureOf({ fingerprint }, ["server"]), undefined, "a fingerprint needs no clock");
	} finally {
		mock.timers.reset();
	}
});

test("the name of the broker's own certificate counts", { skip }, () => {
	assert.equal(
		failureOf(ca, ["server"], "other.example"),
		"the broker's certificate is not for other.example",
	);
	assert.equal(failureOf(ca, ["server"], "192.168.1.11"), "the broker's certificate is not for 192.168.1.11");
});

test("the fingerprint decides alone, and together with the authority both do", { skip }, () => {
	const { fingerprint } = made.get("server")!;
	const digits = fingerprint.replaceAll(":", "").toLowerCase();
	for (const text of [fingerprint, digits]) {
		assert.equal(failureOf({ fingerprint: text }, ["server"], "anything"), undefined);
		assert.equal(failureOf({ ...ca, fingerprint: text }, ["server"]), undefined);
	}
	assert.match(
		failureOf({ fingerprint }, ["expired"]) ?? "",
		/^the broker's certificate has another fingerprint: [0-9a-f]{64}$/,
	);
	assert.match(failureOf({ ca: "other-ca.der", fingerprint }, ["server"]) ?? "", /not signed/);
});

test("files that the image lacks, or that are not in DER: an error with the name", { skip }, () => {
	assert.throws(
		() => new Certificates({ ca: "certs/none.der" }, "b"),
		/none\.der is not in the image: add it to data/,
	);
	assert.throws(() => new Certificates({ ca: "text.der" }, "b"), /text\.der is not in DER/);
});

test("the SDK's manager verifies nothing by itself, and gets the certificate of the node", { skip }, () => {
	new Certificates({ ...ca, certificate: "server.der", key: "certs/ca.der" }, "b");
	assert.deepEqual(managerOptions, {
		verify: false,
		clientCertificates: [new Uint8Array(der("server"))],
		clientKey: new Uint8Array(der("ca")),
	});
});
