import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineName } from "../sim/engine/engine-factory";
import { type JSONObject, type Manifest, readManifest } from "../sim/manifest/manifest-reader";
import { withTransports } from "../sim/manifest/transports";
import { LOOPBACKS } from "../sim/network/port-server";
import { asObject, BROKER_MAC, CHIP } from "../sim/plan";
import { nodePools } from "../sim/service/node-pools";
import type { ServeOptions } from "../sim/service/serve";
import { type ListenSettings, readSettings, type TLSSettings } from "../src/config/settings";
import { readErrorText } from "./config/file";
import { type LoadedManifest, loadManifest } from "./config/load";
import { memoryShortage } from "./config/memory";
import { formatProblem } from "./config/problem";
import { Failure } from "./failure";

/** Firefly's own manifest, whose firmware runs without a configuration. */
const ownManifest = fileURLToPath(new URL("../manifest.json", import.meta.url));
/** End of the path of the manifest that brings the firmware. */
const FIRMWARE_MANIFEST = join("firmware", "manifest.json");
/** Default directory of the state, beside the manifest. */
const DATA_DIRECTORY = ".firefly";
/** Default of `listen.mdns` for a broker that others can reach: without a configuration nobody can. */
const HOST_NAME = "firefly";
const identity = { mac: BROKER_MAC, chip: CHIP };

/** Default of `listen.persistInterval`: a disk does not wear like flash. */
const DISK_INTERVAL = "1s";

interface BrokerArguments {
	readonly port: number | undefined;
	readonly webSocket: number | undefined;
	/** Directory for the state. */
	readonly data: string | undefined;
}

type PreparedBroker = Pick<
	ServeOptions,
	"name" | "settings" | "bridge" | "directory" | "manifest" | "config" | "addresses" | "secure" | "data"
> & {
	/** The name to announce, without ".local"; false: none. */
	readonly mdns: string | false;
};

/**
 * Prepares the settings of the broker.
 * @param file a manifest @param args take precedence over the manifest
 */
export function prepareBroker(
	file: string | undefined,
	args: BrokerArguments,
	engine: EngineName,
): PreparedBroker {
	const path = file === undefined ? ownManifest : resolve(file);
	const loaded = file === undefined ? undefined : load(file);
	const manifest = loaded === undefined ? readManifest(ownManifest) : firmwareOf(path, loaded);
	const { wifi: _wifi, ...firefly } = asObject(file === undefined ? undefined : manifest.config.firefly);
	const configured: JSONObject = file === undefined ? { anonymous: true } : asObject(firefly.listen);
	const { mdns = file === undefined ? false : HOST_NAME, hosts = [] } = configured;
	const listen: JSONObject = {
		persistInterval: DISK_INTERVAL,
		...configured,
		// The page may be called by the announced name.
		...(typeof mdns === "string" && Array.isArray(hosts) && { hosts: [...hosts, `${mdns}.local`] }),
		...(args.port === undefined ? {} : { port: args.port }),
		...(args.webSocket === undefined ? {} : { webSocket: args.webSocket }),
		...(args.data === undefined ? {} : { persist: true }),
	};
	const { tls: _tls, ...plain } = listen;
	// Where the bridge leads, and its password, which no manifest keeps
	const bridgeOverrides = Object.fromEntries(
		Object.entries(loaded?.overrides ?? {}).filter(([key]) => key.startsWith("bridge_")),
	);
	// The clock is this machine's.
	const config = {
		...bridgeOverrides,
		firefly: {
			...firefly,
			role: "broker",
			sensors: [],
			time: { server: false },
			listen: engine === "xs" ? plain : listen,
		},
	};
	const read = readSettings(
		{ ...bridgeOverrides, firefly: { ...firefly, listen, role: "broker" } },
		identity,
		() => {},
	);
	const { id: name, listen: settings, bridge } = read;
	checkPorts(settings);
	if (!settings.anonymous && settings.users.length === 0)
		throw new Failure(
			`${file}: config.firefly.listen lets nobody in; add a user with "firefly passwd NAME --manifest ${file}", or set anonymous to true`,
		);
	const shortage =
		engine === "xs"
			? memoryShortage(read, creationSize(manifest, "static"), creationSize(manifest, "stack"))
			: undefined;
	if (shortage !== undefined)
		throw new Failure(
			`${file ?? "the default pools"}: config.firefly.listen: ${shortage.message}; or run it with --engine node`,
		);
	return {
		name,
		manifest,
		config,
		settings: engine === "node" ? withNodePools(settings, listen) : settings,
		mdns: typeof mdns === "string" ? mdns : false,
		...(bridge === undefined ? {} : { bridge }),
		directory: dirname(path),
		...(settings.persist ? { data: resolve(args.data ?? join(dirname(path), DATA_DIRECTORY)) } : {}),
		addresses: file === undefined ? LOOPBACKS : undefined,
		...(settings.tls === undefined ? {} : { secure: readSecureOptions(settings.tls, dirname(path)) }),
	};
}

/**
 * The manifest, with what its bridge needs to reach the other broker; one that only configures gets Firefly's
 * own firmware.
 */
function firmwareOf(path: string, { json, overrides }: LoadedManifest): Manifest {
	const manifest = readManifest(path, json);
	const url = overrides.bridge_url ?? asObject(asObject(manifest.config.firefly).bridge).url;
	const bridgeURL = typeof url === "string" ? url : undefined;
	if (manifest.files.some((file) => file.endsWith(FIRMWARE_MANIFEST)))
		return withTransports(manifest, bridgeURL, { path, json });
	const ownJSON = JSON.parse(readFileSync(ownManifest, "utf8")) as object;
	const own = withTransports(readManifest(ownManifest), bridgeURL, { path: ownManifest, json: ownJSON });
	return {
		...own,
		config: manifest.config,
		creation: { ...own.creation, ...manifest.creation },
		defines: { ...own.defines, ...manifest.defines },
	};
}

/** Refuses equal ports, which the checks of the manifest do not see if options name them. */
function checkPorts({ port, webSocket, tls }: ListenSettings): void {
	const ports = new Map<number, string>();
	for (const [name, number] of Object.entries({
		"MQTT over TCP": port,
		"MQTT over TLS": tls?.port,
		"MQTT over WebSocket": webSocket,
	})) {
		if (number === undefined || number === 0) continue;
		const other = ports.get(number);
		if (other !== undefined)
			throw new Failure(`${name} cannot have port ${number}, which is that of ${other} too`);
		ports.set(number, name);
	}
}

function load(file: string): LoadedManifest {
	// Whether the pools fit the engine's memory is checked with the options of the command line.
	const loaded = loadManifest(file, process.env, {}, false);
	if ("manifest" in loaded) return loaded.manifest;
	throw new Failure(loaded.problems.map(formatProblem).join("\n"));
}

/** A size of the manifest's `creation`, with that of the firmware that it includes. */
function creationSize({ creation }: Manifest, key: string): number | undefined {
	const value = creation[key];
	return typeof value === "number" ? value : undefined;
}

/** Replaces pool sizes that the configuration does not set by the defaults for this machine. */
function withNodePools(settings: ListenSettings, listen: JSONObject): ListenSettings {
	const unnamed = Object.entries(nodePools).filter(([key]) => listen[key] === undefined);
	return { ...settings, ...Object.fromEntries(unnamed) };
}

function readSecureOptions({ port, certificate, key }: TLSSettings, directory: string) {
	return {
		port,
		certificate: readPEM(resolve(directory, certificate)),
		key: readPEM(resolve(directory, key)),
	};
}

function readPEM(path: string): Uint8Array {
	try {
		return readFileSync(path);
	} catch (error) {
		throw new Failure(`${path}: ${readErrorText(error)}`);
	}
}
