/**
 * The block of `platforms` that applies to `name` ("esp32" or "esp32/nodemcu"): the longest leading part of
 * the name that has its own block or matches a wildcard, else "...".
 */
export function matchPlatform<T>(platforms: Readonly<Record<string, T>>, name: string): T | undefined {
	const parts = name.split("/");
	for (; parts.length > 0; parts.pop()) {
		const partial = parts.join("/");
		for (const key of Object.keys(platforms)) {
			const matches = key.endsWith("/*")
				? partial.startsWith(key.slice(0, -1))
				: key.startsWith("*/")
					? partial.endsWith(key.slice(1))
					: partial === key;
			if (matches) return platforms[key];
		}
	}
	return platforms["..."];
}
