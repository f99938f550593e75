import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { networkOf } from "../../src/broker/access/network";
import { HASTE } from "../../src/broker/doors";
import type { ListenSettings } from "../../src/config/settings";
import { Peer } from "../broker/support/peer";
import { World } from "../broker/support/world";
import { hashOf } from "./hashes";

const credentials = { username: "anna", password: Buffer.from("apple") };

function world(settings: Partial<ListenSettings> = {}): World {
	return new World({
		anonymous: true,
		users: [{ name: "anna", hash: hashOf("apple") }],
		connections: 1,
		handshakes: 4,
		connectTimeout: 10_000,
		...settings,
	});
}

/** A connection from an address. */
function from(world: World, address: string | undefined): Peer {
	const peer = new Peer(world.host, 5);
	peer.socket.other.remoteAddress = address;
	world.host.run();
	return peer;
}

const some = (count: number, make: (index: number) => Peer) => Array.from({ length: count }, (_, index) => make(index));
const closed = (peers: readonly Peer[]) => peers.filter((peer) => peer.closed).length;
const code = (packet: unknown) => (packet as { reasonCode?: number } | undefined)?.reasonCode;

test("the network of an address", () => {
	for (const [address, network] of [
		["192.168.1.10", "192.168.1.10"],
		["::ffff:192.168.1.10", "192.168.1.10"],
		["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
		["2001:0DB8:0001:0002::6", "2001:db8:1:2::/64"],
		["2001:db8::6", "2001:db8:0:0::/64"],
		["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
		["fe80::1%wlan0", "fe80:0:0:0::/64"],
		["::1", "0:0:0:0::/64"],
		["::", "0:0:0:0::/64"],
		["", ""],
		["no address", "no address"],
	]) {
		assert.equal(networkOf(address), network);
		assert.equal(networkOf(network), network);
	}
});

describe("one address cannot hold all places before CONNECT", () => {
	for (const [name, address] of [
		["of IPv4", () => "10.0.0.1"],
		["each time another one of an IPv6 network", (index: number) => `2001:db8::${index + 1}`],
	] as const) {
		test(name, () => {
			const broker = world();
			const idle = some(5, (index) => from(broker, address(index)));
			const other = from(broker, "10.0.0.2");
			assert.equal(other.open("other"), undefined);
			broker.host.advance(HASTE - 1);
			assert.equal(closed(idle), 0);
			broker.host.advance(300);
			assert.equal(closed(idle), 3, "half of four places, rounded up, are left to it");
			assert.equal(code(other.shift("connack")), 0);
			// and so on, as long as somebody waits
			const more = some(8, (index) => from(broker, address(index + 10)));
			broker.host.advance(2 * HASTE + 600);
			assert.equal(closed(idle), 3);
			assert.ok(closed(more) >= 4);
			broker.host.advance(10_000);
			assert.equal(closed([...idle, ...more]), 13);
			assert.ok(!other.closed);
		});
	}

	test("while there is a place all have their time, and so have those of addresses with few", () => {
		const broker = world();
		const idle = some(4, () => from(broker, "10.0.0.1"));
		broker.host.advance(9_900);
		assert.equal(closed(idle), 0);

		const mixed = world({ handshakes: 3 });
		const few = some(4, (index) => from(mixed, `10.0.0.${index >> 1}`));
		const waits = from(mixed, "10.0.0.3");
		mixed.host.advance(9_900);
		assert.equal(closed(few), 0);
		assert.equal(waits.open("a"), undefined);
		mixed.host.advance(200);
		assert.equal(code(waits.shift("connack")), 0);
	});

	test("who waits for the judgement on his password, or for that on another's, is not cut off", () => {
		const broker = world({ users: [{ name: "anna", hash: hashOf("apple", 3000) }], connections: 8, handshakes: 1 });
		const { time } = broker.host;
		const delta = time.delta;
		// an iteration takes a millisecond
		Object.assign(time, { delta: (start: number, end?: number) => (end === undefined ? 1000 : delta(start, end)) });
		const all = some(9, () => from(broker, "10.0.0.1"));
		const late = from(broker, "10.0.0.1");
		for (const [index, peer] of all.entries()) peer.open(`c${index}`, credentials);
		broker.host.advance(2 * HASTE);
		assert.equal(closed(all), 0);
		broker.host.advance(2 * HASTE);
		assert.equal(all.filter((peer) => code(peer.shift("connack")) === 0).length, 8);
		late.drop();
	});

	test("where addresses are not known, or nobody can log in, the connect time-out decides", () => {
		for (const [settings, address] of [
			[{}, undefined],
			[{ users: [] }, "10.0.0.1"],
		] as const) {
			const broker = world(settings);
			const idle = some(5, () => from(broker, address));
			const other = from(broker, "10.0.0.2");
			other.open("other");
			broker.host.advance(9_900);
			assert.equal(closed(idle), 0);
			broker.host.advance(200);
			assert.equal(closed(idle), 5);
			assert.equal(code(other.shift("connack")), 0);
		}
	});
});

test("whoever tries again and again, each time from another address, does not keep others from being judged", () => {
	const broker = world({ connections: 4, handshakes: 2 });
	let tries = 0;
	const attack = () => {
		const peer = from(broker, `10.1.${tries >> 8}.${tries++ & 255}`);
		peer.open("attacker", { username: "anna", password: Buffer.from("guess") });
		return peer;
	};
	const attackers = some(3, attack);
	const victim = from(broker, "10.0.0.2");
	victim.open("victim", credentials);
	for (let i = 0; i < 200 && !victim.packets.some(({ cmd }) => cmd === "connack"); i++) {
		broker.host.advance(1);
		for (const [index, peer] of attackers.entries()) if (peer.closed) attackers[index] = attack();
	}
	assert.equal(code(victim.shift("connack")), 0);
	assert.ok(tries < 20, `${tries}`);
});
