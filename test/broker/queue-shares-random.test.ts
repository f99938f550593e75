import assert from "node:assert/strict";
import { test } from "node:test";
import { FuzzHost } from "./support/fuzz-host";
import { Random } from "./support/fuzz-mutator";
import { settings } from "./support/fuzz-settings";
import { type Subject, SubjectOnNode } from "./support/fuzz-subject";
import { QueuePeer } from "./support/queue-peer";
import { SubjectOnXS } from "./support/xs-subject";

const SHARE_ENTRIES = Math.floor(settings.queuedMessages / settings.sessions);
const SHARE_BYTES = Math.floor(settings.queuedBytes / settings.sessions);
const HOSTILE_PEERS = 4;
const FILTERS = ["#", "pair/#", "pair/away", "other/+"];

/** Bytes that a queued message takes: topic and payload, rounded up. */
function queuedSize(topic: string, payload: string): number {
	return (topic.length + payload.length + 7) & -8;
}

/** A peer that hoards, does not read, does not acknowledge, comes and goes. */
function hostileStep(peer: QueuePeer, random: Random): void {
	if (!peer.connected) {
		if (random.oneIn(2)) peer.connect(1 + random.below(20));
		return;
	}
	const size = random.below(400);
	switch (random.below(8)) {
		case 0:
			peer.subscribe(FILTERS[random.below(FILTERS.length)]!, random.below(3));
			break;
		case 1:
			peer.drop();
			break;
		case 2:
			peer.freeze(true);
			break;
		case 3:
			peer.freeze(false);
			break;
		case 4:
			peer.receive();
			break;
		case 5:
			peer.publishUnreleased("other/x", "x".repeat(size), 1 + random.below(5));
			break;
		default:
			peer.publish(`other/${random.below(12)}`, "x".repeat(size), random.below(3), random.oneIn(2));
	}
}

/**
 * A well-behaved publisher with one subscriber that is connected and one that comes and goes, among hostile
 * peers.
 */
async function run(host: FuzzHost, subject: Subject, seed: number, steps: number): Promise<void> {
	const random = new Random(seed);
	const publisher = new QueuePeer(host, "publisher");
	const live = new QueuePeer(host, "live");
	const away = new QueuePeer(host, "away");
	const hostile = Array.from({ length: HOSTILE_PEERS }, (_, i) => new QueuePeer(host, `hostile${i}`));
	for (const peer of [publisher, live, away]) assert.ok(peer.connect());
	live.subscribe("pair/live", 2);
	away.subscribe("pair/away", 2);
	away.drop();
	let waiting: string[] = [];
	let waitingBytes = 0;
	const publish = (topic: string, payload: string) => {
		const qos = 1 + random.below(2);
		const retain = random.oneIn(3);
		const code = publisher.publish(topic, payload, qos, retain);
		// refused only for its own sake: its retained value finds no place
		assert.ok(code === 0 || code === 0x10 || (code === 0x97 && retain), `reason code ${code}`);
		return code < 0x80;
	};
	for (let step = 0; step < steps; step++) {
		if (random.below(3) !== 0) {
			hostileStep(hostile[random.below(HOSTILE_PEERS)]!, random);
			continue;
		}
		const payload = `${step}`.padEnd(random.below(300), ".");
		if (random.oneIn(2)) {
			const accepted = publish("pair/live", payload);
			assert.deepEqual(live.receive(), accepted ? [payload] : [], `step ${step}`);
			continue;
		}
		const short = payload.slice(0, 40);
		const size = queuedSize("pair/away", short);
		if (waiting.length < SHARE_ENTRIES && waitingBytes + size <= SHARE_BYTES) {
			if (!publish("pair/away", short)) continue;
			waiting.push(short);
			waitingBytes += size;
			continue;
		}
		assert.ok(away.connect());
		assert.deepEqual(away.receive(), waiting, `step ${step}`);
		away.drop();
		waiting = [];
		waitingBytes = 0;
	}
	for (const peer of [publisher, live, away, ...hostile]) peer.drop();
	host.advance(60_000);
	const { values: _values, valueBytes: _bytes, ...usage } = subject.usage();
	for (const [pool, count] of Object.entries(usage)) assert.equal(count, 0, pool);
	assert.equal(subject.internalErrors(), 0);
}

for (const engine of ["node", "xs"] as const) {
	test(`${engine}: hostile and absent sessions take nothing from a publisher and its subscribers`, async () => {
		for (let seed = 1; seed <= (engine === "node" ? 30 : 4); seed++) {
			const host = new FuzzHost();
			const subject = engine === "node" ? new SubjectOnNode(host) : await SubjectOnXS.start(host);
			try {
				await run(host, subject, seed, 400);
			} catch (error) {
				throw new Error(`seed ${seed}`, { cause: error });
			} finally {
				subject.end();
			}
		}
	});
}
