/** A recording that cannot be used; the message names file and line. */
export class ReplayError extends Error {
	override readonly name = "ReplayError";
}
