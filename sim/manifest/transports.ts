import { dirname, join } from "node:path";
import { type Manifest, readManifest } from "./manifest-reader";

/** The manifests of what another transport than TCP needs, below the folder of the firmware. */
const TRANSPORT_MANIFESTS: Readonly<Record<string, readonly string[]>> = {
	mqtts: ["tls/manifest.json"],
	ws: ["websocket/manifest.json"],
	wss: ["tls/manifest.json", "websocket/manifest.json"],
};

/**
 * A manifest with what reaches a broker that its includes need not provide for.
 * @param url of the broker; undefined: there is none
 * @param source what `read` was read from
 */
export function withTransports(
	read: Manifest,
	url: string | undefined,
	{ path, json }: { readonly path: string; readonly json: object },
): Manifest {
	const manifests = TRANSPORT_MANIFESTS[url?.slice(0, url.indexOf(":")) ?? ""];
	const firmware = read.files.find((file) => /[\\/]firmware[\\/]manifest(_\w+)?\.json$/.test(file));
	if (manifests === undefined || firmware === undefined) return read;
	const needed = manifests.map((name) => join(dirname(firmware), name));
	const { include = [] } = json as { readonly include?: string | readonly string[] };
	return readManifest(path, { ...json, include: [...[include].flat(), ...needed] });
}
