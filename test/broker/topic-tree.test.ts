import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/pool/memory";
import { Subscriptions } from "../../src/broker/topics/subscriptions";
import { TopicTree } from "../../src/broker/topics/topic-tree";
import { utf8 } from "../../src/mqtt/utf8";
import { naiveMatch, topicFilter, topicName } from "./support/naive-match";

function createTree(nodes = 400, bytes = 1000): TopicTree {
	return new TopicTree(new Memory(bytes, 0), nodes, bytes);
}

test("random filters added and removed: a topic name finds exactly the filters that match it", () => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ filter: topicFilter, remove: fc.boolean() }), { maxLength: 60 }),
			fc.array(topicName, { minLength: 1, maxLength: 10 }),
			(steps, topics) => {
				const filters = createTree();
				const nodes = new Map<string, { node: number; uses: number }>();
				for (const { filter, remove } of steps) {
					const bytes = utf8(filter);
					const known = nodes.get(filter);
					if (!remove) {
						const node = filters.add(bytes, 0, bytes.length);
						assert.notEqual(node, 0);
						if (known) {
							assert.equal(node, known.node);
							known.uses++;
						} else nodes.set(filter, { node, uses: 1 });
					} else if (known) {
						filters.remove(known.node);
						if (--known.uses === 0) nodes.delete(filter);
					}
				}
				for (const topic of topics) {
					const bytes = utf8(topic);
					const count = filters.match(bytes, 0, bytes.length);
					const matchedNodes = [...filters.found.subarray(0, count)];
					assert.equal(new Set(matchedNodes).size, count);
					for (const [filter, { node }] of nodes) {
						const expected = naiveMatch(filter, topic);
						assert.equal(matchedNodes.includes(node), expected, `${filter} and ${topic}`);
						assert.equal(
							filters.matches(node, bytes, 0, bytes.length),
							expected,
							`${filter} covers ${topic}`,
						);
						const text = utf8(filter);
						assert.equal(filters.find(text, 0, text.length), node);
					}
				}
				for (const { node, uses } of nodes.values()) for (let i = 0; i < uses; i++) filters.remove(node);
				assert.equal(filters.count, 0);
				assert.equal(filters.bytes, 0);
			},
		),
		{ numRuns: 300 },
	);
});

test("a filter without room: nothing of it remains in the tree", () => {
	const threeNodeTree = createTree(3);
	const fittingFilter = utf8("a/b");
	const node = threeNodeTree.add(fittingFilter, 0, fittingFilter.length);
	const long = utf8("x/y/z");
	assert.equal(threeNodeTree.add(long, 0, long.length), 0);
	const longer = utf8("a/b/c/d");
	assert.equal(threeNodeTree.add(longer, 0, longer.length), 0);
	assert.equal(threeNodeTree.count, 2);
	threeNodeTree.remove(node);
	assert.notEqual(threeNodeTree.add(long, 0, long.length), 0);

	const smallByteTree = createTree(10, 4);
	const longFilter = utf8("abc/de");
	assert.equal(smallByteTree.add(longFilter, 0, longFilter.length), 0);
	assert.equal(smallByteTree.count, 0);
	assert.equal(smallByteTree.bytes, 0);
});

test("500 more filters: a match does not visit more levels", () => {
	const filters = createTree(2000, 8000);
	const bytes = utf8("site/room-7/temperature");
	const countByteReads = () => {
		// visited levels cannot be observed: a proxy counts the bytes read for comparisons instead
		let reads = 0;
		const countingBytes = new Proxy(bytes, {
			get(target, key) {
				if (typeof key === "string" && /^\d+$/.test(key)) reads++;
				return Reflect.get(target, key, target);
			},
		});
		filters.match(countingBytes, 0, bytes.length);
		return reads;
	};
	for (const filter of ["site/room-7/temperature", "site/+/temperature", "site/#"]) {
		const text = utf8(filter);
		filters.add(text, 0, text.length);
	}
	const before = countByteReads();
	for (let i = 100; i < 600; i++) {
		const text = utf8(`site/r${i}/x`);
		assert.notEqual(filters.add(text, 0, text.length), 0);
	}
	assert.equal(countByteReads(), before);
});

test("random subscribe, unsubscribe, match and session end: subscriptions agree with a model", () => {
	const step = fc.oneof(
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant("add" as const),
				session: fc.integer({ min: 1, max: 5 }),
				filter: topicFilter,
				qos: fc.nat({ max: 1 }),
			}),
		},
		{
			weight: 2,
			arbitrary: fc.record({
				do: fc.constant("remove" as const),
				session: fc.integer({ min: 1, max: 5 }),
				filter: topicFilter,
			}),
		},
		{
			weight: 1,
			arbitrary: fc.record({ do: fc.constant("end" as const), session: fc.integer({ min: 1, max: 5 }) }),
		},
		{ weight: 2, arbitrary: fc.record({ do: fc.constant("match" as const), topic: topicName }) },
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const subscriptions = new Subscriptions(new Memory(600, 0), 20, 5, 200, 600);
			const model = new Map<string, number>();
			for (const action of steps) {
				if (action.do === "match") {
					const bytes = utf8(action.topic);
					const count = subscriptions.match(bytes, 0, bytes.length);
					const found = [...subscriptions.found.subarray(0, count)].map(
						(i) => `${subscriptions.session(i)} ${subscriptions.qos(i)}`,
					);
					const expected = [...model]
						.filter(([key]) => naiveMatch(key.slice(2), action.topic))
						.map(([key, qos]) => `${key[0]} ${qos}`);
					assert.deepEqual(found.sort(), expected.sort());
					continue;
				}
				const { session } = action;
				if (action.do === "end") {
					subscriptions.removeAll(session);
					for (const key of [...model.keys()]) if (key.startsWith(`${session} `)) model.delete(key);
				} else {
					const bytes = utf8(action.filter);
					const key = `${session} ${action.filter}`;
					if (action.do === "remove")
						assert.equal(subscriptions.remove(session, bytes, 0, bytes.length, 0) !== 0, model.delete(key));
					else {
						const subscription = subscriptions.add(session, bytes, 0, bytes.length, 0, action.qos, 0);
						assert.equal(subscription !== 0, model.has(key) || model.size < 20);
						assert.equal(subscriptions.existed, model.has(key));
						if (subscription !== 0) model.set(key, action.qos);
					}
				}
				assert.equal(subscriptions.count, model.size);
			}
			for (let session = 1; session <= 5; session++) subscriptions.removeAll(session);
			assert.equal(subscriptions.count + subscriptions.tree.count + subscriptions.tree.bytes, 0);
		}),
	);
});
