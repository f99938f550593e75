import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";

/** The recording of a real office, one row a minute; the project does not include it. */
const OFFICE_PATH = fileURLToPath(new URL("../../../shared/data/office-sensors.csv", import.meta.url));
const ROWS = 2665;

export interface RecordingRow {
	readonly [column: string]: number;
}

/** A recording and its rows, read by a parser independent of the simulator's. */
export interface Recording {
	readonly path: string;
	/** Columns in the file's order, without row number and date. */
	readonly rows: readonly RecordingRow[];
}

export function officeRecording(): Recording {
	const path = existsSync(OFFICE_PATH) ? OFFICE_PATH : writeGeneratedRecording();
	const [header, ...lines] = parse(readFileSync(path, "utf8"), { relax_column_count: true }) as string[][];
	const rows = lines.map((line) => {
		const fields = line.slice(line.length - header.length + 1);
		return Object.fromEntries(header.slice(1).map((name, index) => [name, Number(fields[index])]));
	});
	return { path, rows };
}

/** A substitute of the same length, form and precision; its seconds wander around the minute likewise. */
function writeGeneratedRecording(): string {
	const lines = ['"date","Temperature","Humidity","Light","CO2","HumidityRatio","Occupancy"'];
	const start = Date.UTC(2015, 1, 2, 14, 19);
	for (let i = 0; i < ROWS; i++) {
		const date = new Date(start + i * 60_000 - (i % 3 === 1 ? 1000 : 0))
			.toISOString()
			.slice(0, 19)
			.replace("T", " ");
		const wave = Math.sin(i / 229);
		const values = [22 + wave, 26 + wave / 3, 300 * (1 + wave), 700 + 90 * wave, 0.0047 + wave / 5000].map(
			(value) => Number(value.toPrecision(15)),
		);
		lines.push(`"${140 + i}","${date}",${values.join(",")},${wave > 0 ? 1 : 0}`);
	}
	const path = join(mkdtempSync(join(tmpdir(), "recording-")), "office-sensors.csv");
	writeFileSync(path, `${lines.join("\n")}\n`);
	return path;
}
