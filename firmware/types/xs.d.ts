/** Globals that XS adds to ECMAScript, limited to those the firmware uses. */

/**
 * The C function of that name, bound at link time; xsc compiles the pattern `native("name").call(this, …)`
 * into a host function.
 */
declare function native(
	name: string,
): (this: unknown, ...args: (number | string | object | undefined)[]) => unknown;

/** Writes to the debugger's console; adds no line end. */
declare function trace(...text: string[]): void;
