import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BrokerHarness } from "./support/broker-harness";
import { naiveMatch } from "./support/naive-match";
import type { TestClient } from "./support/test-client";

/*
 * The record of a topic's value remembers which filters match the topic, if they are at most two. Here
 * filters come and go, and more topics share the records than there are. Each message is published twice, as
 * the second one finds what the first one has left.
 */

const CLIENTS = 4;
const FILTERS = ["a", "b", "a/+", "a/#", "#", "a/b", "$share/g/a/+", "$share/h/#"];
/** Start of the filter within a shared subscription of one of these. */
const SHARED = "$share/g/".length;
const TOPICS = ["a", "b", "a/b", "a/c", "c"];

const client = fc.nat({ max: CLIENTS - 1 });
const filter = fc.constantFrom(...FILTERS);
const step = fc.oneof(
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("subscribe" as const), client, filter }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), client, filter }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const), client }) },
	{
		weight: 6,
		arbitrary: fc.record({
			do: fc.constant("publish" as const),
			topic: fc.constantFrom(...TOPICS),
			payload: fc.constantFrom("", "1", "22"),
			retain: fc.boolean(),
		}),
	},
);

const isShared = (filter: string): boolean => filter.startsWith("$share/");

test("random subscribe, unsubscribe, session end and publish: each message reaches whose filters match", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const harness = new BrokerHarness({ retainedTopics: 3, retainedBytes: 60 });
			const publisher = harness.client("publisher");
			const clients: TestClient[] = [];
			const filters: Set<string>[] = [];
			const connect = (index: number): void => {
				clients[index] = harness.client(`${index}`);
				filters[index] = new Set();
			};
			for (let i = 0; i < CLIENTS; i++) connect(i);
			for (const action of steps) {
				if (action.do === "publish") {
					const { topic, payload, retain } = action;
					const isMatch = (text: string) => naiveMatch(isShared(text) ? text.slice(SHARED) : text, topic);
					const matching = filters.map((own) => [...own].filter(isMatch));
					const groups = new Set(matching.flat().filter(isShared));
					for (const peer of clients) peer.messages(); // stored values of new filters
					for (let time = 1; time <= 2; time++) {
						publisher.publish(topic, payload, { retain });
						let ofGroups = 0;
						for (const [i, peer] of clients.entries()) {
							const messages = peer.messages();
							const ownFilters = matching[i].filter((text) => !isShared(text));
							const extra = messages.length - Math.min(ownFilters.length, 1);
							const members = matching[i].length - ownFilters.length;
							assert.ok(extra >= 0 && extra <= members, `${i}: ${messages} of ${matching[i]}`);
							for (const message of messages) assert.equal(message, `${topic}=${payload}`);
							ofGroups += extra;
						}
						assert.equal(ofGroups, groups.size, `${topic}, published ${time} times`);
					}
					continue;
				}
				const peer = clients[action.client];
				if (action.do === "reconnect") {
					peer.send({ cmd: "disconnect" });
					connect(action.client);
				} else if (action.do === "subscribe") {
					peer.subscribe(action.filter);
					filters[action.client].add(action.filter);
				} else {
					peer.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: [action.filter] });
					filters[action.client].delete(action.filter);
				}
			}
		}),
		{ numRuns: 150 },
	);
});
