import { limits } from "./limits";

/** Fewest points of a table: a line needs two. */
const LEAST_POINTS = 2;

/**
 * The problem of a table of points `[[x, y], …]`, as the rest of a sentence that begins with the table;
 * undefined if it is valid: two numbers a point, x ascending.
 * @param most number of points that there may be
 */
export function pointsProblem(table: unknown, most: number): string | undefined {
	if (!Array.isArray(table)) return "is not a list of points";
	if (table.length < LEAST_POINTS) return `has fewer than ${LEAST_POINTS} points`;
	if (table.length > most) return `has more than ${most} points`;
	let last = -Infinity;
	for (let i = 0; i < table.length; i++) {
		const point: unknown = table[i];
		if (!isPoint(point)) return `has an entry, [${i}], that is not two numbers such as [0, 0.4]`;
		const [x] = point;
		if (x <= last) return `is not in ascending order: ${x} stands after ${last}`;
		last = x;
	}
	return undefined;
}

function isPoint(value: unknown): value is readonly [number, number] {
	return Array.isArray(value) && value.length === 2 && isCoordinate(value[0]) && isCoordinate(value[1]);
}

function isCoordinate(value: unknown): boolean {
	const { minimum, maximum } = limits.coordinate;
	return typeof value === "number" && value >= minimum && value <= maximum;
}
