/** Whether standard output has failed, other than by the end of its reader. */
let failed = false;
/** Whether nothing more can be written. */
let ended = false;
let stop: (() => void) | undefined;

/**
 * Handles errors of the standard streams for all commands. Without standard output a command ends, with a
 * line and exit code 1, or quietly if its reader has ended, as in `firefly sim | head`. Without standard
 * error it continues: a broker is worth more than its messages.
 */
export function guardOutput(): void {
	process.stderr.on("error", () => {});
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (ended) return;
		ended = true;
		if (error.code !== "EPIPE") {
			failed = true;
			process.exitCode = 1;
			process.stderr.write(`firefly: standard output cannot be written: ${error.message}\n`);
		}
		stop?.();
	});
}

/** Whether standard output could not be written. */
export function outputFailed(): boolean {
	return failed;
}

/** Sets what ends the running command in an orderly way once standard output fails; undefined: nothing. */
export function setOutputFailureHandler(handler: (() => void) | undefined): void {
	stop = handler;
	if (ended) handler?.();
}
