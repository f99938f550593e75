/**
 * Preloaded into every test process (see run.ts): checks how the pools are used, at each call. The pools hold
 * lists of free places and do not know a wrong number; on the chip they have no room to check, so that a
 * place released twice would show much later, in another client's message. Here a second account is kept of
 * what is in use, apart from the pools' own.
 *
 * A violation throws, and because the broker goes on after an exception, it fails the process as well.
 */
import { Arena } from "../../src/broker/pool/arena";
import { Messages } from "../../src/broker/pool/messages";
import { IncomingQos2 } from "../../src/broker/session/incoming-qos2";
import { PartialPackets } from "../../src/broker/session/partial-packets";
import { QueueEntries } from "../../src/broker/session/queue-entries";
import { Sessions } from "../../src/broker/session/sessions";
import { Subscriptions } from "../../src/broker/topics/subscriptions";
import { TopicTree } from "../../src/broker/topics/topic-tree";
import { Ring } from "../../src/sensor/outbox/ring";
import { WORD_RING_SIZE, WORD_USED } from "../../src/sensor/retained/layout";
import { InFlight } from "../../src/session/in-flight";

let violations: string[] = [];

/** The violations since the last call, which then do not fail the process. */
export function takeViolations(): string[] {
	const taken = violations;
	violations = [];
	return taken;
}

process.on("exit", () => {
	if (violations.length === 0) return;
	console.error(`pool violations:\n${[...new Set(violations)].join("\n")}`);
	process.exitCode = 1;
});

function check(holds: boolean, message: () => string): void {
	if (holds) return;
	violations.push(message());
	throw new Error(message());
}

/** Surrounds a method of all instances of a pool. */
function surround<T extends object>(
	pool: { readonly prototype: T },
	method: string,
	around: (pool: T, args: never[], call: () => unknown) => unknown,
): void {
	const original: unknown = Reflect.get(pool.prototype, method);
	if (typeof original !== "function") throw new Error(`a pool has no method ${method}`);
	Reflect.set(pool.prototype, method, function (this: T, ...args: never[]) {
		return around(this, args, () => Reflect.apply(original, this, args));
	});
}

/** Checks before each call of a method. */
function require<T extends object>(
	pool: { readonly prototype: T },
	method: string,
	holds: (pool: T, args: never[]) => boolean,
	message: string,
): void {
	surround(pool, method, (self, args, call) => {
		check(holds(self, args), () => `${method}(${args.join(", ")}): ${message}`);
		return call();
	});
}

/**
 * Places that are allocated and released by number; 0 means none. Keeps account of those in use.
 * @param uses methods whose first argument is a place that must be in use
 */
export function account<T extends object>(
	pool: { readonly name: string; readonly prototype: T },
	allocate: string,
	release: string,
	uses: readonly string[],
): void {
	const accounts = new WeakMap<T, Set<number>>();
	const inUse = (self: T): Set<number> => {
		const known = accounts.get(self);
		if (known !== undefined) return known;
		const created = new Set<number>();
		accounts.set(self, created);
		return created;
	};
	surround(pool, allocate, (self, _args, call) => {
		const place = call() as number;
		if (place === 0) return 0;
		const places = inUse(self);
		check(Number.isInteger(place) && place > 0, () => `${pool.name}: ${place} is no place`);
		check(!places.has(place), () => `${pool.name}: ${place} is allocated while it is in use`);
		places.add(place);
		return place;
	});
	surround(pool, release, (self, args, call) => {
		const [place] = args as number[];
		check(inUse(self).has(place!), () => `${pool.name}: ${place} is released, but not in use`);
		const result = call();
		inUse(self).delete(place!);
		return result;
	});
	for (const method of uses)
		require(pool, method, (self, [place]) =>
			inUse(self).has(place as unknown as number), `not a place of ${pool.name} in use`);
}

account(Arena, "allocate", "release", ["offset", "size"]);
account(QueueEntries, "allocate", "release", [
	"next",
	"setNext",
	"content",
	"dropContent",
	"packetId",
	"setPacketId",
	"flags",
	"setFlags",
	"identifier",
	"share",
	"sequence",
	"setSequence",
	"renew",
]);
// session() is not in the list: it answers 0 for a place that is not in use.
account(Subscriptions, "allocate", "release", [
	"qos",
	"noLocal",
	"retainAsPublished",
	"options",
	"identifier",
	"node",
	"share",
	"matches",
	"requestRetained",
]);
account(Sessions, "add", "remove", [
	"setWill",
	"setWillDelay",
	"bytesOf",
	"identifierStart",
	"identifierEnd",
	"nextPacketId",
]);

/** Filters that end at each node of a topic tree. */
const filters = new WeakMap<TopicTree, Map<number, number>>();
function filtersOf(tree: TopicTree): Map<number, number> {
	const known = filters.get(tree);
	if (known !== undefined) return known;
	const created = new Map<number, number>();
	filters.set(tree, created);
	return created;
}
surround(TopicTree, "add", (tree, _args, call) => {
	const node = call() as number;
	if (node !== 0) filtersOf(tree).set(node, (filtersOf(tree).get(node) ?? 0) + 1);
	return node;
});
surround(TopicTree, "remove", (tree, args, call) => {
	const [node] = args as unknown as [number];
	const count = filtersOf(tree).get(node) ?? 0;
	check(count > 0, () => `TopicTree: no filter ends at node ${node}, and one is removed`);
	filtersOf(tree).set(node, count - 1);
	return call();
});

require(Messages, "overwrite", (messages, args) => {
	const [record, message] = args as unknown as Parameters<Messages["overwrite"]>;
	return message.size <= messages.arena.size(record);
}, "the message is longer than its record");
require(PartialPackets, "append", (parts, args) => {
	const [, , count] = args as unknown as Parameters<PartialPackets["append"]>;
	return count >= 0 && parts.hasRoom(count);
}, "there is no room for it");
require(IncomingQos2, "add", (identifiers, args) => {
	const [session, packetId] = args as unknown as Parameters<IncomingQos2["add"]>;
	return session > 0 && packetId > 0 && packetId <= 0xffff && !identifiers.has(session, packetId);
}, "no session, no packet identifier, or one that is there");
require(InFlight, "add", (inFlight, args) => {
	const [packetId] = args as unknown as Parameters<InFlight["add"]>;
	return inFlight.count < inFlight.capacity && inFlight.state(packetId) === 0;
}, "all places are taken, or the packet identifier is in use");
for (const method of ["stateAt", "setState", "sequenceAt", "firstSensorAt", "readRecord"])
	require(Ring, method, ({ words }, [index]) =>
		(index as number) >= 0 && (index as number) < words[WORD_RING_SIZE]!, "an index beyond the ring");
require(Ring, "appendRecord", ({ words }, args) => {
	const [record] = args as unknown as Parameters<Ring["appendRecord"]>;
	return record.length <= words[WORD_RING_SIZE]! - words[WORD_USED]!;
}, "there is no room for the record");
