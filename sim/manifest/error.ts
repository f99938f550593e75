/** A manifest, or a module that it declares, that cannot be used; the message names the file. */
export class ManifestError extends Error {
	override readonly name = "ManifestError";
}
