/** Globals that XS adds to ECMAScript, as far as the firmware uses them. */

/**
 * The C function of that name, bound at link time; xsc folds the pattern `native("name").call(this, …)` into
 * a host function.
 */
declare function native(name: string): (this: unknown, ...args: (number | string)[]) => unknown;

/** Writes to the debugger's console, without a line end of its own. */
declare function trace(...text: string[]): void;
