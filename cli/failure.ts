import { getSystemErrorMap } from "node:util";

/** Ends a command with exit code 1; the message is for users. */
export class Failure extends Error {
	override readonly name = "Failure";
}

/** What the system says of a failed call, without its code and arguments: `no space left on device`. */
export function systemErrorText(error: unknown): string {
	const { errno, message } = error as NodeJS.ErrnoException;
	return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
