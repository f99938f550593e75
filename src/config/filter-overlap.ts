/**
 * Whether two topic filters (§4.7) have a topic name in common. Both must be valid. A name that begins with
 * `$` matches no filter that begins with a wildcard [MQTT-4.7.2-1].
 */
export function filtersOverlap(one: string, other: string): boolean {
	const a = one.split("/");
	const b = other.split("/");
	if ((isWildcard(a[0]) && b[0].startsWith("$")) || (isWildcard(b[0]) && a[0].startsWith("$"))) return false;
	for (let i = 0; ; i++) {
		// "a/#" also matches the parent "a" (§4.7.1.2), but no name is empty [MQTT-4.7.3-1]
		if (i === 1 && Math.min(a.length, b.length) === 1 && (a[0] === "" || b[0] === "")) return false;
		if (a[i] === "#") return b.length >= i;
		if (b[i] === "#") return a.length >= i;
		if (i === a.length || i === b.length) return a.length === b.length;
		if (a[i] !== "+" && b[i] !== "+" && a[i] !== b[i]) return false;
	}
}

function isWildcard(level: string): boolean {
	return level === "+" || level === "#";
}
