import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/pool/memory";
import { Subscriptions } from "../../src/broker/topics/subscriptions";
import { TopicTree } from "../../src/broker/topics/topic-tree";
import { utf8 } from "../../src/mqtt/utf8";
import { naiveMatch, topicFilter, topicName } from "./support/naive-match";

/** A memory with `bytes` bytes for filters, and `range`, which writes a text to the area behind them. */
function memoryOf(bytes: number) {
	const memory = new Memory(bytes, 1000);
	const range = (text: string): [start: number, end: number] => {
		const encoded = utf8(text);
		memory.bytes.set(encoded, memory.receiveStart);
		return [memory.receiveStart, memory.receiveStart + encoded.length];
	};
	return { memory, range };
}

function createTree(nodes = 400, bytes = 1000) {
	const { memory, range } = memoryOf(bytes);
	return { tree: new TopicTree(memory, nodes, bytes), memory, range };
}

test("random filters added and removed: a topic name finds exactly the filters that match it", () => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ filter: topicFilter, remove: fc.boolean() }), { maxLength: 60 }),
			fc.array(topicName, { minLength: 1, maxLength: 10 }),
			(steps, topics) => {
				const { tree: filters, range } = createTree();
				const nodes = new Map<string, { node: number; uses: number }>();
				for (const { filter, remove } of steps) {
					const known = nodes.get(filter);
					if (!remove) {
						const node = filters.add(...range(filter));
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
					const count = filters.match(...range(topic));
					const matchedNodes = [...filters.found.subarray(0, count)];
					assert.equal(new Set(matchedNodes).size, count);
					for (const [filter, { node }] of nodes) {
						const expected = naiveMatch(filter, topic);
						assert.equal(matchedNodes.includes(node), expected, `${filter} and ${topic}`);
						assert.equal(filters.matches(node, ...range(topic)), expected, `${filter} covers ${topic}`);
						assert.equal(filters.find(...range(filter)), node);
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
	const { tree: threeNodeTree, range } = createTree(3);
	const node = threeNodeTree.add(...range("a/b"));
	assert.equal(threeNodeTree.add(...range("x/y/z")), 0);
	assert.equal(threeNodeTree.add(...range("a/b/c/d")), 0);
	assert.equal(threeNodeTree.count, 2);
	threeNodeTree.remove(node);
	assert.notEqual(threeNodeTree.add(...range("x/y/z")), 0);

	const small = createTree(10, 4);
	assert.equal(small.tree.add(...small.range("abc/de")), 0);
	assert.equal(small.tree.count, 0);
	assert.equal(small.tree.bytes, 0);
});

test("500 more filters: a match does not visit more levels", () => {
	const { memory, range } = memoryOf(8000);
	// Visited levels cannot be observed: a view counts the reads for comparisons instead
	let reads = 0;
	const { words } = memory;
	const countingWords = {
		getInt32(at: number): number {
			reads++;
			return words.getInt32(at);
		},
		getUint8(at: number): number {
			reads++;
			return words.getUint8(at);
		},
	};
	Object.defineProperty(memory, "words", { value: countingWords });
	const filters = new TopicTree(memory, 2000, 8000);
	const countReads = (): number => {
		const [start, end] = range("site/room-7/temperature");
		reads = 0;
		filters.match(start, end);
		return reads;
	};
	for (const filter of ["site/room-7/temperature", "site/+/temperature", "site/#"])
		filters.add(...range(filter));
	const before = countReads();
	assert.ok(before > 0);
	for (let i = 100; i < 600; i++) assert.notEqual(filters.add(...range(`site/r${i}/x`)), 0);
	assert.equal(countReads(), before);
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
			const { memory, range } = memoryOf(600);
			const subscriptions = new Subscriptions(memory, 20, 5, 200, 600);
			const model = new Map<string, number>();
			for (const action of steps) {
				if (action.do === "match") {
					const count = subscriptions.match(...range(action.topic));
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
					const [start, end] = range(action.filter);
					const key = `${session} ${action.filter}`;
					if (action.do === "remove")
						assert.equal(subscriptions.remove(session, start, end, 0) !== 0, model.delete(key));
					else {
						const subscription = subscriptions.add(session, start, end, 0, action.qos, 0);
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
