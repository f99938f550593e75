import type { Core } from "./core";

/** Entries of the queues that every session owns: those of the pool in equal parts. */
export function shareOfEntries(core: Core): number {
	return Math.floor(core.settings.queuedMessages / core.settings.sessions);
}

/** Bytes for queued messages that every session owns. */
export function shareOfBytes(core: Core): number {
	return Math.floor(core.settings.queuedBytes / core.settings.sessions);
}
