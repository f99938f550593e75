import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { defaults } from "../../src/config/defaults";
import { isSecureURL, isWebSocketURL, parseBrokerURL } from "../../src/config/url";
import { type Included, missingInclude } from "./includes";
import type { ManifestView } from "./json";
import { nodeAddressProblem } from "./node-address";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];
const FILES = ["ca", "certificate", "key"] as const;
type FileKey = (typeof FILES)[number];

/** Modules that a build has with the include of a transport, and the folder of that below firmware/. */
const TRANSPORTS = [
	{ module: "firmware/tls/socket", folder: "tls", isNeeded: isSecureURL },
	{ module: "src/websocket/client/socket", folder: "websocket", isNeeded: isWebSocketURL },
] as const;

/** Where a `url` comes from, if not from the manifest. */
export interface URLSource {
	/** Of firefly.local.json or the environment. */
	readonly local: string | undefined;
	/** Of the command line: for this run only, so that the image need not have its transport. */
	readonly commandLine?: string | undefined;
}

/** A section with a `url`, and `tls` beside it: whom the device connects to. */
type Section = "broker" | "bridge";

/**
 * Problems of a broker that is reached over TLS or WebSocket: what the image lacks, what would not be
 * checked, and files that a chip cannot use.
 * @param path of the manifest
 * @param onChip false: only for a broker on this machine, which has all transports and reads PEM, too
 */
export function transportProblems(
	document: ManifestView,
	included: Included,
	sources: Readonly<Record<Section, URLSource>>,
	path: string,
	onChip = true,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
	const role = valueAt(document.value, [...root, "role"]) ?? defaults.role;
	const found = { problems: [] as Problem[], warnings: [] as Problem[] };
	for (const section of ["broker", "bridge"] as const) {
		if (section === "broker" ? !onChip || role === "broker" : role === "sensor") continue;
		const check = new TransportCheck(document, included, sources[section], path, section, onChip);
		check.run();
		found.problems.push(...check.problems);
		found.warnings.push(...check.warnings);
	}
	return found;
}

class TransportCheck {
	readonly problems: Problem[] = [];
	readonly warnings: Problem[] = [];
	readonly #document: ManifestView;
	readonly #included: Included;
	readonly #source: URLSource;
	readonly #path: string;
	readonly #section: Path;
	readonly #isBridge: boolean;
	readonly #onChip: boolean;

	constructor(
		document: ManifestView,
		included: Included,
		source: URLSource,
		path: string,
		section: Section,
		onChip: boolean,
	) {
		this.#document = document;
		this.#included = included;
		this.#source = source;
		this.#path = path;
		this.#section = [...root, section];
		this.#isBridge = section === "bridge";
		this.#onChip = onChip;
	}

	run(): void {
		const { local, commandLine } = this.#source;
		const url = commandLine ?? local ?? this.#get("url");
		// An invalid URL is reported elsewhere.
		if (typeof url !== "string" || typeof parseBrokerURL(url) === "string") return;
		const unreachable = this.#onChip ? nodeAddressProblem(url) : undefined;
		if (unreachable !== undefined) this.#add(this.#urlPath, `${JSON.stringify(url)} ${unreachable}`);
		if (commandLine === undefined) this.#checkIncludes(url);
		const scheme = url.slice(0, url.indexOf(":"));
		const tls = this.#get("tls");
		if (!isSecureURL(url)) {
			if (tls !== undefined && commandLine === undefined)
				this.#add(
					["tls"],
					`has no effect with ${scheme}://; did you mean ${scheme === "ws" ? "wss" : "mqtts"}://?`,
				);
			return;
		}
		if (this.#get("tls", "ca") === undefined && this.#get("tls", "fingerprint") === undefined)
			this.#add(
				tls === undefined ? this.#urlPath : ["tls"],
				`${scheme}:// needs ${tls === undefined ? '"tls" with "ca" or "fingerprint"' : '"ca" or "fingerprint"'}: anybody could pass for the broker otherwise`,
			);
		for (const [key, other] of [
			["certificate", "key"],
			["key", "certificate"],
		] as const)
			if (this.#get("tls", key) !== undefined && this.#get("tls", other) === undefined)
				this.#add(["tls"], `lacks "${other}", which belongs to ${key}`);
		const time = valueAt(this.#document.value, [...root, "time", "server"]);
		if (this.#onChip && this.#get("tls", "ca") !== undefined && time === false)
			this.#add(["tls", "ca"], "needs time.server: dates of certificates are checked by the clock");
		for (const key of FILES) this.#checkFile(key);
		// The default of a node would do for TCP and CONNACK only.
		if (!this.#isBridge && commandLine === undefined && this.#get("connectTimeout") === undefined)
			this.warnings.push(
				this.#document.at(
					[...this.#section, ...this.#urlPath],
					"the handshake of TLS takes a chip seconds; give broker.connectTimeout and sleep.awakeLimit room for it, such as 15s and 25s",
				),
			);
	}

	#checkIncludes(url: string): void {
		const { firmware, modules } = this.#included;
		if (firmware === undefined || !this.#onChip) return;
		for (const { module, folder, isNeeded } of TRANSPORTS) {
			if (!isNeeded(url) || modules.has(module)) continue;
			this.#add(this.#urlPath, `${JSON.stringify(url)} ${missingInclude(firmware, folder, this.#path)}`);
		}
	}

	#checkFile(key: FileKey): void {
		const name = this.#get("tls", key);
		if (typeof name !== "string" || name === "") return;
		const shown = JSON.stringify(name);
		const file = resolve(dirname(this.#path), name);
		if (!existsSync(file)) {
			this.#add(["tls", key], `${shown} is not beside the manifest`);
			return;
		}
		if (!this.#onChip) return;
		const content = readFileSync(file);
		const isPEM = content.includes("-----BEGIN");
		if (isPEM) {
			const der = basename(name, extname(name));
			const command =
				key === "key"
					? `openssl pkcs8 -topk8 -nocrypt -in ${name} -outform DER -out ${der}.der`
					: `openssl x509 -in ${name} -outform DER -out ${der}.der`;
			this.#add(["tls", key], `${shown} is in PEM, and a chip reads DER: ${command}`);
			return;
		}
		if (key === "key") this.#checkKey(shown, content);
		else this.#checkCertificate(key, shown, content);
		this.#checkResource(key, name, file);
	}

	#checkKey(shown: string, content: Buffer): void {
		try {
			const { asymmetricKeyType } = createPrivateKey({ key: content, format: "der", type: "pkcs8" });
			if (asymmetricKeyType !== "rsa")
				this.#add(
					["tls", "key"],
					`${shown} is of the kind ${asymmetricKeyType}, and the SDK signs with RSA only`,
				);
		} catch {
			this.#add(["tls", "key"], `${shown} is no private key in PKCS #8`);
		}
	}

	#checkCertificate(key: FileKey, shown: string, content: Buffer): void {
		try {
			const until = new Date(new X509Certificate(content).validTo);
			if (until.getTime() < Date.now())
				this.#add(["tls", key], `${shown} has expired: ${until.toISOString().slice(0, 10)}`);
		} catch {
			this.#add(["tls", key], `${shown} is no certificate`);
		}
	}

	/** A chip finds a file by its name among the resources of the image. */
	#checkResource(key: FileKey, name: string, file: string): void {
		const stem = file.slice(0, file.length - extname(file).length);
		const isListed = this.#included.data.some(
			(source) => source === stem || source === file || source === join(dirname(file), "*"),
		);
		if (isListed) return;
		const directory = dirname(name).replaceAll("\\", "/");
		const source = `./${directory === "." ? "" : `${directory.replace(/^\.\//, "")}/`}${basename(stem)}`;
		this.#add(
			["tls", key],
			`${JSON.stringify(name)} is not in the image; add ${JSON.stringify(source)} to "data": { "*": […] } of the manifest`,
		);
	}

	get #urlPath(): Path {
		return this.#get("url") === undefined ? [] : ["url"];
	}

	#get(...path: string[]): unknown {
		return valueAt(this.#document.value, [...this.#section, ...path]);
	}

	#add(path: Path, message: string): void {
		this.problems.push(this.#document.at([...this.#section, ...path], message));
	}
}
