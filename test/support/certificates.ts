import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether certificates can be made. */
export const opensslInstalled: boolean = spawnSync("openssl", ["version"]).error === undefined;

export interface Certificate {
	/** Paths: certificate and key in PEM, the same in DER (PKCS #8). */
	readonly pem: string;
	readonly key: string;
	readonly der: string;
	readonly keyDER: string;
	/** SHA-256 of it, in hexadecimal digits with colons. */
	readonly fingerprint: string;
}

interface Request {
	/** subjectAltName; absent: a certificate of an authority. */
	readonly names?: string;
	/** Dates as openssl's `-not_before` and `-not_after` have them. */
	readonly days?: readonly [from: string, to: string];
	readonly issuer?: Certificate;
}

/** Makes certificates with openssl, in a folder of their own. */
export class CertificateFolder {
	// mosquitto reads them as another user
	readonly path = mkdtempSync(join(tmpdir(), "firefly-certificates-"));

	constructor() {
		chmodSync(this.path, 0o755);
	}

	make(name: string, { names, days, issuer }: Request = {}): Certificate {
		const at = (extension: string): string => join(this.path, `${name}.${extension}`);
		const files = { pem: at("pem"), key: at("key"), der: at("der"), keyDER: at("key.der") };
		const run = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
		const constraints = names === undefined ? "critical,CA:TRUE" : "CA:FALSE";
		writeFileSync(
			at("cnf"),
			[
				"[req]",
				"distinguished_name=name",
				"[name]",
				"[extensions]",
				`basicConstraints=${constraints}`,
				...(names === undefined ? [] : [`subjectAltName=${names}`]),
				"",
			].join("\n"),
		);
		run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", files.key);
		run("req", "-new", "-key", files.key, "-subj", `/CN=${name}`, "-config", at("cnf"), "-out", at("csr"));
		// `openssl ca` is the one that takes any dates, in every version.
		writeFileSync(at("index"), "");
		writeFileSync(
			at("serial"),
			`${name.length.toString(16).padStart(2, "0")}${Date.now().toString(16).padStart(12, "0")}\n`,
		);
		writeFileSync(
			at("ca.cnf"),
			[
				"[ca]",
				"default_ca=own",
				"[own]",
				`database=${at("index")}`,
				`serial=${at("serial")}`,
				`new_certs_dir=${this.path}`,
				"default_md=sha256",
				"policy=policy",
				"[policy]",
				"commonName=supplied",
				"",
			].join("\n"),
		);
		run(
			"ca",
			"-batch",
			"-notext",
			"-config",
			at("ca.cnf"),
			"-in",
			at("csr"),
			"-out",
			files.pem,
			"-extfile",
			at("cnf"),
			"-extensions",
			"extensions",
			...(issuer === undefined
				? ["-selfsign", "-keyfile", files.key]
				: ["-cert", issuer.pem, "-keyfile", issuer.key]),
			...(days === undefined ? ["-days", "30"] : ["-startdate", days[0], "-enddate", days[1]]),
		);
		run("x509", "-in", files.pem, "-outform", "DER", "-out", files.der);
		run("pkcs8", "-topk8", "-nocrypt", "-in", files.key, "-outform", "DER", "-out", files.keyDER);
		for (const file of Object.values(files)) chmodSync(file, 0o644);
		return { ...files, fingerprint: new X509Certificate(readFileSync(files.pem)).fingerprint256 };
	}

	remove(): void {
		rmSync(this.path, { recursive: true, force: true });
	}
}
