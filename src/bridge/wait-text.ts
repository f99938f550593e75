/** A wait in the unit that a person would use; rounded. @param ms above 0 */
export function waitText(ms: number): string {
	if (ms < 10_000) return `${Math.max(1, Math.round(ms / 100)) / 10} s`;
	if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
	if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
	return `${Math.round(ms / 3_600_000)} h`;
}
