import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { deskPools } from "../sim/desk/pools";
import type { ServeOptions } from "../sim/desk/serve";
import type { EngineName } from "../sim/engine/choose";
import { type JSONObject, readManifest } from "../sim/manifest/read";
import { type ListenSettings, readSettings, type TLSSettings } from "../src/config/settings";
import { whyNot } from "./config/file";
import { loadManifest } from "./config/load";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";

/** Firefly's own manifest, whose firmware runs where there is no configuration. */
const own = fileURLToPath(new URL("../manifest.json", import.meta.url));
const identity = { mac: "02f1ef1f00b0", chip: "esp32" };

interface Asked {
	readonly port: number | undefined;
	readonly webSocket: number | undefined;
}

type Prepared = Pick<ServeOptions, "name" | "settings" | "manifest" | "config" | "address" | "secure">;

/**
 * What the broker serves as.
 * @param file a manifest @param ports go before those of the manifest
 */
export function prepareBroker(file: string | undefined, ports: Asked, engine: EngineName): Prepared {
	const path = file === undefined ? own : resolve(file);
	const manifest = file === undefined ? readManifest(own) : readManifest(path, load(file));
	const { wifi: _wifi, ...firefly } = objectOf(file === undefined ? undefined : manifest.config.firefly);
	const listen: JSONObject = {
		...(file === undefined ? { anonymous: true } : objectOf(firefly.listen)),
		...(ports.port === undefined ? {} : { port: ports.port }),
		...(ports.webSocket === undefined ? {} : { webSocket: ports.webSocket }),
	};
	const { tls: _tls, ...plain } = listen;
	const config = { firefly: { ...firefly, role: "broker", sensors: [], listen: engine === "xs" ? plain : listen } };
	const { id: name, listen: settings } = readSettings({ firefly: { ...firefly, listen } }, identity, () => {});
	if (!settings.anonymous && settings.users.length === 0)
		throw new Failure(
			`${file}: config.firefly.listen lets nobody in; add a user with "firefly passwd NAME --manifest ${file}", or set anonymous to true`,
		);
	return {
		name,
		manifest,
		config,
		settings: engine === "node" ? widened(settings, listen) : settings,
		address: file === undefined ? "127.0.0.1" : undefined,
		...(settings.tls === undefined ? {} : { secure: readSecure(settings.tls, dirname(path)) }),
	};
}

function load(file: string): object {
	const loaded = loadManifest(file, process.env);
	if ("manifest" in loaded) return loaded.manifest.json;
	throw new Failure(loaded.problems.map(formatProblem).join("\n"));
}

/** The desk's pools where the configuration names none. */
function widened(settings: ListenSettings, listen: JSONObject): ListenSettings {
	const unnamed = Object.entries(deskPools).filter(([key]) => listen[key] === undefined);
	return { ...settings, ...Object.fromEntries(unnamed) };
}

function readSecure({ port, certificate, key }: TLSSettings, directory: string) {
	return { port, certificate: readPEM(resolve(directory, certificate)), key: readPEM(resolve(directory, key)) };
}

function readPEM(path: string): Uint8Array {
	try {
		return readFileSync(path);
	} catch (error) {
		throw new Failure(`${path}: ${whyNot(error)}`);
	}
}

function objectOf(value: unknown): JSONObject {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JSONObject) : {};
}
