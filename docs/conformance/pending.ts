import type { Pending } from "./report";

/**
 * Applicable statements that are not implemented or not tested yet. The list may only shrink: a test fails if
 * code and a test cite a statement in it.
 */
export const pending: readonly Pending[] = [];
