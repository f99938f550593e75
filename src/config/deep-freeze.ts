/**
 * Freezes plain objects and arrays recursively, so that they stay in flash in a preloaded module. Typed
 * arrays cannot be frozen and need not be: objects made at preload are read-only. Stops at objects that are
 * already frozen, such as `mc/config`.
 */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
		return value;
	for (const part of Object.values(value)) deepFreeze(part);
	return Object.freeze(value);
}
