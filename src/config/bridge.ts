import { readFields } from "./field-reader";
import { bridgeFields } from "./fields/bridge";
import type { Values } from "./fields/field";
import { filtersOverlap } from "./filter-overlap";
import type { Section } from "./section";
import { expand } from "./template";
import type { BridgeSettings, BridgeTopicSettings } from "./types";
import { parseBrokerURL } from "./url";
import { aclTopicProblem } from "./validators";

/**
 * Settings of the bridge; undefined: there is none, or it has no address or no topics.
 * @param section `bridge` of the configuration
 * @param id replaces `{id}`
 */
export function bridgeSettings(
	section: Section,
	{ url, clientId, username, ...values }: Values<typeof bridgeFields>,
	id: string,
): BridgeSettings | undefined {
	const topics = readBridgeTopics(section, values.version === 4 && !values.tryPrivate, id);
	if (url === undefined) return section.refuse("url", "is missing; nothing is forwarded", undefined);
	const address = parseBrokerURL(url);
	if (typeof address === "string") return undefined; // the row has traced it
	if (topics.length === 0)
		return section.refuse("topics", "has nothing that can be forwarded; there is no bridge", undefined);
	const { retryMinimum, retryMaximum } = values;
	return {
		...address,
		...values,
		retryMaximum:
			retryMaximum >= retryMinimum
				? retryMaximum
				: section.refuse("retryMaximum", "is less than retryMinimum", retryMinimum),
		clientId: expand(clientId, { id }),
		...(username === undefined ? {} : { username: expand(username, { id }) }),
		topics,
	};
}

/** Reads the rows; one that cannot be read, or that would make a loop, is left out. */
function readBridgeTopics(
	section: Section,
	refusesLoops: boolean,
	id: string,
): readonly BridgeTopicSettings[] {
	const { fields, maximum } = bridgeFields.topics;
	const topics: BridgeTopicSettings[] = [];
	for (const entry of section.list("topics", maximum)) {
		const { localPrefix, remotePrefix, ...row } = readFields(entry, fields);
		if (row.filter === "") continue;
		const topic = {
			...row,
			localPrefix: expand(localPrefix, { id }),
			remotePrefix: expand(remotePrefix, { id }),
		};
		const problem = joinedProblem(topic) ?? (refusesLoops ? loopProblem([...topics, topic]) : undefined);
		if (problem === undefined) topics.push(topic);
		else entry.refuse("filter", problem, undefined);
	}
	return topics;
}

/** Why a filter does not go with its prefixes; undefined if it does. */
export function joinedProblem({
	filter,
	localPrefix,
	remotePrefix,
}: Pick<BridgeTopicSettings, "filter" | "localPrefix" | "remotePrefix">): string | undefined {
	for (const prefix of [localPrefix, remotePrefix]) {
		const problem = aclTopicProblem(`${prefix}${filter}`.replaceAll(/[{}]/g, "_"));
		if (problem !== undefined) return `with the prefix "${prefix}" ${problem}`;
	}
	return undefined;
}

/**
 * Whether the last row closes a loop over MQTT 3.1.1, which has no No Local: what goes out under a name at
 * the other broker comes in again.
 */
export function loopProblem(topics: readonly BridgeTopicSettings[]): string | undefined {
	const last = topics.at(-1);
	if (last === undefined) return undefined;
	for (let i = 0; i < topics.length; i++)
		if (comesBack(last, topics[i]) || comesBack(topics[i], last))
			return `makes a loop: over MQTT 3.1.1 what goes out as ${last.remotePrefix}${last.filter} would come in again by topics[${i}]; use version 5, or names that do not overlap`;
	return undefined;
}

/** Whether what goes out by one row comes in by another, or the same one, if the other broker sends it. */
export function comesBack(out: BridgeTopicSettings, back: BridgeTopicSettings): boolean {
	return (
		out.direction !== "in" &&
		back.direction !== "out" &&
		filtersOverlap(`${out.remotePrefix}${out.filter}`, `${back.remotePrefix}${back.filter}`)
	);
}
