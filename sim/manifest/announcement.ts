import { dirname, join } from "node:path";
import { type Manifest, readManifest } from "./manifest-reader";

/** A manifest with what announces a broker, which its includes need not provide for. */
export function withAnnouncement(manifest: Manifest): Manifest {
	const firmware = manifest.files.find((file) => /[\\/]firmware[\\/]manifest(_\w+)?\.json$/.test(file));
	if (firmware === undefined) return manifest;
	const { files, declarations, preload } = readManifest(join(dirname(firmware), "mdns", "manifest.json"));
	return {
		...manifest,
		files: [...manifest.files, ...files],
		declarations: [...manifest.declarations, ...declarations],
		preload: [...manifest.preload, ...preload],
	};
}
