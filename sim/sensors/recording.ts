/** Recorded readings. */
export interface Recording {
	readonly file: string;
	/** Column names, without row number and date. */
	readonly columns: readonly string[];
	/** By column, where the file tells any. */
	readonly units?: readonly (string | undefined)[];
	readonly rows: readonly RecordedRow[];
	/** Anomalies of the file that do not prevent its use. */
	readonly warnings: readonly string[];
	/** Distance of the rows on an absolute grid, ms; absent: to be found from their times. */
	readonly step?: number;
}

export interface RecordedRow {
	/** In the file, from 1. */
	readonly line: number;
	/** ms since 1970. */
	readonly time: number;
	/** By column; undefined where the field has no value. */
	readonly values: readonly (number | undefined)[];
}
