import type { Node } from "jsonc-parser";
import type { Export, TextPoint } from "./export";
import { statisticsWarning } from "./home-assistant-csv";
import { exportOfInflux, type InfluxPoint } from "./influx-series";
import { elementsOf, entriesOf, JSONFile, memberOf, textOf } from "./json-document";

/*
 * Answers in JSON. Home Assistant: GET /api/history/period (developers.home-assistant.io/docs/api/rest), a
 * list of states for each entity, of which only some may name it; history/history_during_period of its
 * WebSocket API, whose states are compressed to s, a, lc and lu; recorder/statistics_during_period and the
 * action recorder.get_statistics. InfluxDB 1.x: /query and `influx -format json`.
 */

/** Around an answer: of the WebSocket API, of an action by REST, of statistics. */
const WRAPPERS = ["result", "service_response", "statistics"];

export function isJSON(text: string): boolean {
	return /^\s*[[{]/.test(text);
}

/** @throws {ReplayError} */
export function readJSONExport(text: string, file: string): Export {
	const json = new JSONFile(text, file);
	let root = json.root;
	const results = elementsOf(memberOf(root, "results"));
	if (results !== undefined) return exportOfInflux(influxPoints(json, results), "time");
	for (let inner = wrapped(root); inner !== undefined; inner = wrapped(root)) root = inner;
	const reader = new StateReader(json);
	const lists = elementsOf(root);
	if (lists?.every((list) => list.type === "array"))
		for (const list of lists) reader.readStates(undefined, list);
	else if (lists !== undefined) reader.readStates(undefined, root);
	else for (const [entity, list] of entriesOf(root)) reader.readStates(entity, list);
	if (reader.points.length === 0)
		json.fail(root, "no history or statistics of Home Assistant, and no answer of InfluxDB, is in this file");
	return {
		points: reader.points,
		timeName: "time",
		held: true,
		units: reader.units,
		warnings: reader.hasStatistics ? [statisticsWarning(file)] : [],
	};
}

function wrapped(node: Node): Node | undefined {
	for (const name of WRAPPERS) {
		const inner = memberOf(node, name);
		if (inner?.type === "object" || inner?.type === "array") return inner;
	}
	return undefined;
}

/** Reads lists of states, in any of Home Assistant's forms. */
class StateReader {
	readonly points: TextPoint[] = [];
	readonly units = new Map<string, string>();
	hasStatistics = false;
	readonly #json: JSONFile;

	constructor(json: JSONFile) {
		this.#json = json;
	}

	/** @param entity undefined: the states name it, or the one before them did */
	readStates(entity: string | undefined, list: Node): void {
		const states = elementsOf(list);
		if (states === undefined) {
			this.#json.fail(list, `${entity ?? "this"} has no list of states or statistics`);
		}
		let series = entity;
		for (const [index, state] of states.entries()) {
			if (state.type !== "object")
				this.#json.fail(state, "a state is an object in a history of Home Assistant");
			const named = textOf(memberOf(state, "entity_id"));
			if (named !== "") series = named;
			if (series === undefined) this.#json.fail(state, "this state has no entity_id, nor has one before it");
			const unit = textOf(
				memberOf(memberOf(state, "attributes") ?? memberOf(state, "a"), "unit_of_measurement"),
			);
			if (unit !== "") this.units.set(series, unit);
			this.#readState(series, state, states[index + 1]);
		}
	}

	#readState(series: string, state: Node, next: Node | undefined): void {
		const start = memberOf(state, "start");
		const value = memberOf(state, "state") ?? memberOf(state, "s");
		if (start !== undefined) {
			this.hasStatistics = true;
			this.#add(series, state, textOf(start), textOf(memberOf(state, "mean") ?? value));
			// Periods without readings are left out of statistics.
			const end = textOf(memberOf(state, "end"));
			if (end !== "" && next !== undefined && textOf(memberOf(next, "start")) !== end)
				this.#add(series, state, end, "");
			return;
		}
		const time = ["last_changed", "last_updated", "lc", "lu"]
			.map((name) => textOf(memberOf(state, name)))
			.find((text) => text !== "");
		if (value === undefined) this.#json.fail(state, `${series} has no state here`);
		if (time === undefined)
			this.#json.fail(state, `${series} has no time here: last_changed or last_updated`);
		this.#add(series, state, time, textOf(value));
	}

	#add(series: string, state: Node, time: string, value: string): void {
		this.points.push({ line: this.#json.line(state), series, time, value });
	}
}

function influxPoints(json: JSONFile, results: readonly Node[]): InfluxPoint[] {
	const points: InfluxPoint[] = [];
	for (const series of results.flatMap((result) => elementsOf(memberOf(result, "series")) ?? [])) {
		const columns = (elementsOf(memberOf(series, "columns")) ?? []).map(textOf);
		const at = columns.indexOf("time");
		if (at < 0) json.fail(series, "this series of InfluxDB has no column time");
		const measurement = textOf(memberOf(series, "name"));
		const tagNode = memberOf(series, "tags");
		const tags = new Map(
			(tagNode === undefined ? [] : entriesOf(tagNode)).map(([key, value]) => [key, textOf(value)]),
		);
		for (const row of elementsOf(memberOf(series, "values")) ?? []) {
			const fields = elementsOf(row);
			if (fields?.length !== columns.length)
				json.fail(row, `not ${columns.length} values, one for each column`);
			for (const [i, field] of columns.entries())
				if (i !== at)
					points.push({
						line: json.line(row),
						time: textOf(fields[at]),
						value: textOf(fields[i]),
						measurement,
						field,
						tags,
					});
		}
	}
	if (points.length === 0) json.fail(json.root, "this answer of InfluxDB has no values");
	return points;
}
