/** Cause of a crash. */
export type CrashKind =
	| "slot memory full"
	| "chunk memory full"
	| "keys exhausted"
	| "stack overflow"
	| "computron limit"
	| "unhandled exception"
	| "unhandled rejection"
	| "syntax error"
	| "internal error";

/**
 * A device crashed: its machine has stopped, other machines are not affected. `stack` is the JavaScript stack
 * inside the device, with the paths given for its modules.
 */
export class XSCrash extends Error {
	override readonly name = "XSCrash";
	readonly kind: CrashKind;
	/** the value thrown or rejected, or the position of a syntax error; empty for the other kinds */
	readonly detail: string;

	constructor(kind: CrashKind, detail: string, trace: string, cause?: unknown) {
		super(detail ? `${kind}: ${detail}` : kind, cause === undefined ? undefined : { cause });
		this.kind = kind;
		this.detail = detail;
		this.stack = `XSCrash: ${this.message}${trace ? `\n${trace}` : ""}`;
	}
}
