/**
 * A host function as the simulator's modules call it. Arguments: numbers, strings, booleans, undefined; a
 * function becomes a handle; a typed array or buffer is accessible to the host during the call.
 */
export type Native = (this: unknown, ...args: unknown[]) => unknown;
