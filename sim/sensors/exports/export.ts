/** Readings as an export of another program has them: one value at a time, of many series. */
export interface Export {
	readonly points: readonly TextPoint[];
	/** What the export calls the time of a point. */
	readonly timeName: string;
	/** Whether a value holds until the next one of its series. */
	readonly held: boolean;
	/** By series, where the export tells. */
	readonly units: ReadonlyMap<string, string>;
	/** What limits the use of it. */
	readonly warnings: readonly string[];
}

export interface TextPoint {
	/** In the file, from 1. */
	readonly line: number;
	readonly series: string;
	readonly time: string;
	readonly value: string;
}

export const NO_UNITS: ReadonlyMap<string, string> = new Map();
