/**
 * Rewrites the module lists of the firmware's manifests, of the transports' and the libraries' from their
 * imports, and src/version.ts from package.json. The manifests of the images with one role differ from
 * firmware/manifest.json in their modules only. Run `npm run manifest` after a file was added or removed;
 * `npm version` runs it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BROKER_MANIFEST, BROKER_PLATFORMS, brokerModules } from "./broker-modules";
import { CLIENT_MANIFEST, clientModules, ECMA419_MANIFEST, ecma419Modules } from "./client-modules";
import { DESKTOP_PLATFORMS, IMAGES } from "./images";
import { importGraph, root } from "./import-graph";
import { MDNS_MANIFEST, TLS_MANIFEST, transportModules, WEBSOCKET_MANIFEST } from "./transport-modules";
import { UPDATE_MANIFEST, updateModules } from "./update-modules";

interface Lists {
	modules: Record<string, string>;
	preload: string[];
}

type Platform = "esp32" | (typeof DESKTOP_PLATFORMS)[number];

const manifest = readJSON<Lists & { platforms: Record<Platform, Lists> }>("firmware/manifest.json");
/** What mcsim needs on every desktop system, and in every image. */
const desktop = readJSON<Lists>("firmware/desktop/manifest.json");

function readJSON<Content>(path: string): Content {
	return JSON.parse(readFileSync(join(root, path), "utf8")) as Content;
}

function writeJSON(path: string, content: object): void {
	writeFileSync(join(root, path), `${JSON.stringify(content, null, 2)}\n`);
}

/** Path relative to firmware/manifest.json. */
function source(file: string): string {
	return file.startsWith("firmware/") ? file.replace("firmware", ".") : `../${file}`;
}

/** Sorts the firmware's own files first. */
function order(a: string, b: string): number {
	return Number(b.startsWith("firmware/")) - Number(a.startsWith("firmware/")) || (a < b ? -1 : 1);
}

function setModules(lists: Lists, modules: Record<string, string>): void {
	lists.modules = modules;
	lists.preload = Object.keys(modules);
}

const { version } = readJSON<{ version: string }>("package.json");
writeFileSync(
	join(root, "src/version.ts"),
	`/** Version of the project. Written by \`npm version\` from package.json. */
export const VERSION = ${JSON.stringify(version)};\n`,
);

for (const { name, roles } of IMAGES) {
	const chip = (await importGraph("firmware/main", "firmware/esp32/host", roles)).files;
	const desk = (await importGraph("firmware/main", "firmware/desktop/host", roles)).files;
	const isDesktop = (file: string): boolean => file.startsWith("firmware/desktop/");
	const target = (file: string): string =>
		file === roles ? "firmware/roles" : file.replace(/^firmware\/(esp32|desktop)\//, "firmware/platform/");
	const listed = (
		files: ReadonlySet<string>,
		isListed: (file: string) => boolean,
		pathOf = source,
	): Record<string, string> =>
		Object.fromEntries(
			[...files]
				.filter(isListed)
				.sort(order)
				.map((file) => [target(file), pathOf(file)]),
		);
	setModules(
		manifest,
		listed(chip, (file) => desk.has(file)),
	);
	setModules(
		manifest.platforms.esp32,
		listed(chip, (file) => !desk.has(file)),
	);
	for (const platform of DESKTOP_PLATFORMS)
		setModules(
			manifest.platforms[platform],
			listed(desk, (file) => !chip.has(file) && !isDesktop(file)),
		);
	setModules(
		desktop,
		listed(desk, isDesktop, (file) => file.replace("firmware/desktop", ".")),
	);
	writeJSON(`firmware/${name}`, manifest);
}
writeJSON("firmware/desktop/manifest.json", desktop);

for (const [path, modules] of [
	[TLS_MANIFEST, await transportModules("firmware/tls/socket")],
	[MDNS_MANIFEST, await transportModules("firmware/mdns/announcement")],
	[WEBSOCKET_MANIFEST, await transportModules("src/websocket/client/socket")],
	[UPDATE_MANIFEST, await updateModules()],
	[CLIENT_MANIFEST, await clientModules()],
	[ECMA419_MANIFEST, await ecma419Modules()],
] as const) {
	const lists = readJSON<Lists>(path);
	setModules(lists, modules);
	writeJSON(path, lists);
}

const broker = readJSON<Lists & { platforms: Record<string, Lists> }>(BROKER_MANIFEST);
setModules(broker, await brokerModules());
broker.platforms = Object.fromEntries(
	Object.entries(BROKER_PLATFORMS).map(([platform, modules]) => [
		platform,
		{ modules, preload: Object.keys(modules) },
	]),
);
writeJSON(BROKER_MANIFEST, broker);
