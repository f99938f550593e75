import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { deskPools } from "../sim/desk/pools";
import type { ServeOptions } from "../sim/desk/serve";
import type { EngineName } from "../sim/engine/choose";
import { type JSONObject, readManifest } from "../sim/manifest/read";
import { BROKER_MAC, CHIP, objectOf } from "../sim/plan";
import { type ListenSettings, readSettings, type TLSSettings } from "../src/config/settings";
import { whyNot } from "./config/file";
import { loadManifest } from "./config/load";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";

/** Firefly's own manifest, whose firmware runs where there is no configuration. */
const own = fileURLToPath(new URL("../manifest.json", import.meta.url));
/** Where the state is kept if nobody says, beside the manifest. */
const DATA = ".firefly";
const identity = { mac: BROKER_MAC, chip: CHIP };

/** `listen.persistInterval` where the configuration names none: a disk does not wear as flash does. */
const DISK_INTERVAL = "1s";

interface Asked {
	readonly port: number | undefined;
	readonly webSocket: number | undefined;
	/** Directory for the state. */
	readonly data: string | undefined;
}

type Prepared = Pick<ServeOptions, "name" | "settings" | "manifest" | "config" | "address" | "secure" | "data">;

/**
 * What the broker serves as.
 * @param file a manifest @param asked goes before what the manifest says
 */
export function prepareBroker(file: string | undefined, asked: Asked, engine: EngineName): Prepared {
	const path = file === undefined ? own : resolve(file);
	const manifest = file === undefined ? readManifest(own) : readManifest(path, load(file));
	const { wifi: _wifi, ...firefly } = objectOf(file === undefined ? undefined : manifest.config.firefly);
	const listen: JSONObject = {
		persistInterval: DISK_INTERVAL,
		...(file === undefined ? { anonymous: true } : objectOf(firefly.listen)),
		...(asked.port === undefined ? {} : { port: asked.port }),
		...(asked.webSocket === undefined ? {} : { webSocket: asked.webSocket }),
		...(asked.data === undefined ? {} : { persist: true }),
	};
	const { tls: _tls, ...plain } = listen;
	// This machine keeps the clock.
	const config = { firefly: { ...firefly, role: "broker", sensors: [], time: { server: false }, listen: engine === "xs" ? plain : listen } };
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
		...(settings.persist ? { data: resolve(asked.data ?? join(dirname(path), DATA)) } : {}),
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
