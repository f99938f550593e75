/** How a device ended. */
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
 * A device crashed: its machine runs no more, others are not concerned. `stack` is the JavaScript stack
 * inside the device, with the paths given for its modules.
 */
export class XSCrash extends Error {
	override readonly name = "XSCrash";
	readonly kind: CrashKind;
	/** what was thrown or rejected, or where the syntax error is; empty for the other kinds */
	readonly detail: string;

	constructor(kind: CrashKind, detail: string, trace: string, cause?: unknown) {
		super(detail ? `${kind}: ${detail}` : kind, cause === undefined ? undefined : { cause });
		this.kind = kind;
		this.detail = detail;
		this.stack = `XSCrash: ${this.message}${trace ? `\n${trace}` : ""}`;
	}
}
