/**
 * Freezes plain objects and arrays all the way down, so that in a preloaded module they stay in flash. Typed
 * arrays cannot be frozen and need not: what is made at preload is read-only. Stops at what is frozen
 * already, such as `mc/config`.
 */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
		return value;
	for (const part of Object.values(value)) deepFreeze(part);
	return Object.freeze(value);
}
