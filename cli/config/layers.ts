import { matchPlatform } from "../../sim/manifest/platform";
import type { JSONDocument } from "./json";
import type { Path } from "./problem";

/** A manifest and the includes of its blocks. */
export interface IncludedManifest {
	readonly document: JSONDocument;
	/** Whether it is one of Firefly itself, whose values are the defaults of the rules. */
	readonly isFirmware: boolean;
	readonly includes: readonly Include[];
}

export interface Include {
	/** Absolute path of the included manifest. */
	readonly path: string;
	/** Key of `platforms` in whose block it is; undefined: for all platforms. */
	readonly platform: string | undefined;
}

/** A part of a manifest that mcconfig merges into the build of a platform. */
export interface Layer {
	readonly document: JSONDocument;
	/** Empty, or the block of a platform. */
	readonly block: Path;
	readonly isFirmware: boolean;
}

/**
 * The parts of a manifest and its includes that the build of a platform has, in the order in which mcconfig
 * merges them: includes before the manifest that names them, those of its platform's block last; then the
 * manifest, then its block of the platform.
 * @param manifests by absolute path
 * @param root path of the manifest that is built
 * @param platform undefined: without any platform's block
 */
export function layersOf(
	manifests: ReadonlyMap<string, IncludedManifest>,
	root: string,
	platform: string | undefined,
): readonly Layer[] {
	const layers: Layer[] = [];
	const seen = new Set<string>();
	const add = (path: string): void => {
		const manifest = manifests.get(path);
		if (manifest === undefined || seen.has(path)) return;
		seen.add(path);
		const { document, isFirmware, includes } = manifest;
		const block = platform === undefined ? undefined : blockOf(document, platform);
		for (const include of includes) if (include.platform === undefined) add(include.path);
		for (const include of includes)
			if (include.platform !== undefined && include.platform === block) add(include.path);
		layers.push({ document, block: [], isFirmware });
		if (block !== undefined) layers.push({ document, block: ["platforms", block], isFirmware });
	};
	add(root);
	return layers;
}

/** Key of the block of `platforms` that applies to a platform. */
function blockOf(document: JSONDocument, platform: string): string | undefined {
	const { platforms } = Object(document.value) as { readonly platforms?: object };
	const keys = Object.keys(Object(platforms));
	return matchPlatform(Object.fromEntries(keys.map((key) => [key, key])), platform);
}
