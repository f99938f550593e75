import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressQuery } from "../../src/mdns/address-query";
import { addressData, encode, RESPONSE } from "./dns-message";
import { Link } from "./link";

const ASKER = "10.0.0.9";

/** A query for firefly.local that has been sent on a link with an announcer or without. */
function queried(link: Link) {
	const found: (string | undefined)[] = [];
	const udp = link.udp(ASKER);
	const query = new AddressQuery({ udp, timer: link.clock.timer }, "firefly.local", (address) =>
		found.push(address),
	);
	return { query, found };
}

test("nobody answers: four queries at the times of lwIP, failed after 7 s", () => {
	const link = new Link();
	const { found } = queried(link);
	link.clock.advance(6999);
	assert.deepEqual(
		link.sent.map(({ at }) => at),
		[0, 1000, 2000, 4000],
	);
	assert.deepEqual(found, []);
	assert.deepEqual(link.advance(10_000), []);
	assert.deepEqual(found, [undefined]);
	assert.equal(link.clock.scheduledTimers, 0);
});

test("only the last query arrives: its answer counts", () => {
	const link = new Link();
	link.start("10.0.0.1", { host: "firefly", instance: "greenhouse", services: [] });
	link.advance(60_000);
	const asked = link.clock.now;
	link.lost = ({ from, at }) => from === ASKER && at < asked + 4000;
	const { found } = queried(link);
	link.advance(3999);
	assert.deepEqual(found, []);
	link.advance(10);
	assert.deepEqual(found, ["10.0.0.1"]);
});

test("answers with another identifier, from another port, or to be deleted: ignored", () => {
	const link = new Link();
	const { found, query } = queried(link);
	const { id } = link.sent[0].message;
	const answer = (identifier: number, ttl = 10): Uint8Array =>
		encode({
			id: identifier,
			flags: RESPONSE,
			questions: [["firefly.local", "A"]],
			answers: [["firefly.local", "A", ttl, addressData("10.0.0.1")]],
		});
	link.send(answer(id ^ 1), "10.0.0.1", 5353, ASKER);
	link.send(answer(id), "10.0.0.1", 5354, ASKER);
	link.send(answer(id, 0), "10.0.0.1", 5353, ASKER);
	link.clock.advance(100);
	assert.deepEqual(found, []);
	link.send(answer(id), "10.0.0.1", 5353, ASKER);
	link.clock.advance(100);
	assert.deepEqual(found, ["10.0.0.1"]);
	query.close();
});
