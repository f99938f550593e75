import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GUESS_BURST, GUESS_INTERVAL_MS } from "../../src/broker/access/guess-limit";
import type { ListenSettings, RuleSettings } from "../../src/config/settings";
import { BrokerHarness } from "../broker/support/broker-harness";
import { PowerCutStorage } from "../broker/support/power-cut-storage";
import { TestClient } from "../broker/support/test-client";
import { hashOf } from "./password-hash";

const users = [
	{ name: "anna", hash: hashOf("apple") },
	{ name: "ben", hash: hashOf("banana", 300, new Uint8Array(16).fill(9)) },
];

const rule = (
	effect: "allow" | "deny",
	action: "publish" | "subscribe" | "all",
	topic: string,
	more: Partial<RuleSettings> = {},
): RuleSettings => ({
	effect,
	action,
	topic,
	...more,
});

function createHarness(settings: Partial<ListenSettings> = {}): BrokerHarness {
	return new BrokerHarness({ anonymous: false, users, ...settings });
}

interface Connack {
	readonly reasonCode?: number;
	readonly returnCode?: number;
}

/**
 * Sends CONNECT and advances the clock until the password has been checked.
 * @returns the code of CONNACK, or undefined when the connection closed without CONNACK
 */
function login(
	harness: BrokerHarness,
	peer: TestClient,
	username: string | undefined,
	password: string | undefined,
	fields: Record<string, unknown> = {},
	waitMs = 1000,
): number | undefined {
	const credentials = {
		...(username === undefined ? {} : { username }),
		...(password === undefined ? {} : { password: Buffer.from(password) }),
	};
	const connack = (peer.connect("c", { ...credentials, ...fields }) ?? awaitConnack(harness, peer, waitMs)) as
		| Connack
		| undefined;
	return connack?.reasonCode ?? connack?.returnCode;
}

function awaitConnack(harness: BrokerHarness, peer: TestClient, waitMs = 1000): unknown {
	harness.host.advance(waitMs);
	return peer.shift("connack");
}

describe("login", () => {
	for (const version of [4, 5] as const) {
		test(`MQTT ${version}, right, wrong and missing credentials: CONNACK with the matching code`, () => {
			const harness = createHarness();
			const codes = (
				[
					["anna", "apple"],
					["ben", "banana"],
					["anna", "banana"],
					["carl", "apple"],
					["anna", undefined],
					["", ""],
					[undefined, undefined],
				] as const
			).map(([name, password], index) =>
				login(harness, harness.peer(version), name, password, { clientId: `c${index}` }),
			);
			const [wrong, nobody] = version === 4 ? [4, 5] : [0x86, 0x87];
			// Three failures cause no delay; the fourth starts one, so it has to be the last.
			assert.deepEqual(codes, [0, 0, wrong, wrong, wrong, wrong, nobody]);
		});
	}

	test("anonymous clients: accepted only with listen.anonymous, whether or not there are users", () => {
		const open = createHarness({ anonymous: true });
		assert.equal(login(open, open.peer(), undefined, undefined), 0);
		assert.equal(login(open, open.peer(), "anna", "wrong"), 0x86);
		const closed = createHarness({ users: [] });
		assert.equal(login(closed, closed.peer(), undefined, undefined), 0x87);
		assert.equal(login(closed, closed.peer(), "anna", "apple"), 0x87);
		const anyone = createHarness({ users: [], anonymous: true });
		assert.equal(login(anyone, anyone.peer(), "anna", "apple"), 0);
	});

	test("a password accepted before: CONNACK at once; any other password: after the check", () => {
		const harness = createHarness();
		const first = harness.peer();
		assert.equal(first.connect("c", { username: "anna", password: Buffer.from("apple") }), undefined);
		assert.equal((awaitConnack(harness, first) as Connack).reasonCode, 0);
		const again = harness.peer();
		assert.equal(
			(again.connect("d", { username: "anna", password: Buffer.from("apple") }) as Connack).reasonCode,
			0,
		);
		assert.equal(
			harness.peer().connect("e", { username: "anna", password: Buffer.from("apples") }),
			undefined,
		);
		const other = harness.peer();
		assert.equal(other.connect("f", { username: "ben", password: Buffer.from("apple") }), undefined);
	});

	test("a password check in progress: further CONNECTs wait, connected clients are served", () => {
		const harness = createHarness({ connections: 4, handshakes: 4 });
		const inside = harness.peer();
		assert.equal(login(harness, inside, "anna", "apple"), 0);
		inside.subscribe("t");
		const peers = ["one", "two", "three"].map((id) => {
			const peer = harness.peer();
			const connack = peer.connect(id, {
				username: "ben",
				password: Buffer.from(id === "two" ? "x" : "banana"),
				clean: true,
			});
			assert.equal(connack, undefined);
			// A client may send further packets before CONNACK (§3.1.4).
			peer.publish("t", id);
			return peer;
		});
		assert.deepEqual(inside.publish("t", "still here").messages(), ["t=still here"]);
		harness.host.advance(100);
		assert.deepEqual(
			peers.map((peer) => (peer.shift("connack") as Connack).reasonCode),
			[0, 0x86, 0],
		);
		assert.deepEqual(inside.messages(), ["t=one", "t=three"]);
		assert.equal(peers[1].closed, true);
	});

	test("the connect timeout ends during a password check: closed, and no session remains", () => {
		const harness = createHarness({
			users: [{ name: "anna", hash: hashOf("apple", 100_000) }],
			connectTimeout: 100,
		});
		const slow = harness.peer();
		slow.connect("slow", { username: "anna", password: Buffer.from("apple") });
		const gone = harness.peer();
		harness.host.advance(99);
		assert.equal(slow.closed, false);
		harness.host.advance(2);
		assert.deepEqual([slow.closed, gone.closed, slow.packets.length], [true, true, 0]);
		// The next client connects while the password of the closed one is still being checked.
		const next = harness.peer();
		next.connect("next", { username: "anna", password: Buffer.from("wrong") });
		harness.host.advance(50);
		assert.deepEqual(next.packets, []);
		harness.host.advance(1000);
		assert.equal(next.closed, true);
		assert.equal(harness.broker.usage.sessions, 0);
	});

	test("a deferred CONNECT: its will is not overwritten by packets of other clients", () => {
		const harness = createHarness();
		const watcher = harness.peer();
		assert.equal(login(harness, watcher, "anna", "apple", { clientId: "watcher" }), 0);
		watcher.subscribe("#");
		const peer = harness.peer();
		const will = { topic: "will", payload: Buffer.from("gone"), qos: 0, retain: false };
		assert.equal(
			peer.connect("waits", { username: "ben", password: Buffer.from("banana"), will }),
			undefined,
		);
		watcher.publish("other/topic/to/overwrite/the/packet", "x".repeat(200));
		watcher.messages();
		assert.equal((awaitConnack(harness, peer) as Connack).reasonCode, 0);
		peer.drop();
		assert.deepEqual(watcher.messages(), ["will=gone"]);
	});

	test("different wrong passwords: 0x9F for a growing delay, to the right one too from a new network", () => {
		const harness = createHarness();
		let guesses = 0;
		const attempt = (password = `guess ${guesses++}`) => loginFrom(harness, "10.0.0.1", "anna", password);
		for (let i = 0; i < 4; i++) assert.equal(attempt(), 0x86);
		assert.equal(attempt(), 0x9f);
		assert.equal(attempt("apple"), 0x9f);
		assert.equal(loginFrom(harness, "10.0.0.2", "anna", "apple"), 0, "another network is not affected");
		harness.host.advance(1000);
		assert.equal(attempt(), 0x86);
		harness.host.advance(1000);
		assert.equal(attempt("apple"), 0x9f);
		harness.host.advance(1000);
		assert.equal(attempt("apple"), 0);
		assert.equal(attempt(), 0x86);
		assert.equal(attempt(), 0x9f);
		assert.equal(attempt("apple"), 0, "its user has logged in from there");
		assert.equal(loginFrom(harness, "10.0.0.1", "ben", "banana"), 0x9f, "and no other user");
	});

	test("one wrong password that is repeated: refused without a check, and nobody is locked out", () => {
		const harness = createHarness();
		assert.equal(loginFrom(harness, "10.0.0.1", "anna", "old"), 0x86);
		for (let i = 0; i < 50; i++) {
			const peer = peerFrom(harness, "10.0.0.1");
			const connack = peer.connect("c", { username: "anna", password: Buffer.from("old") }) as Connack;
			assert.equal(connack.reasonCode, 0x86, "at once");
		}
		assert.equal(loginFrom(harness, "10.0.0.1", "anna", "apple"), 0);
	});

	test("comparisons for a proven peer during a delay: limited, so that they cannot be used to guess", () => {
		const harness = createHarness();
		assert.equal(loginFrom(harness, "10.0.0.1", "anna", "apple"), 0);
		for (let i = 0; i < 4; i++) loginFrom(harness, "10.0.0.1", "anna", `guess ${i}`);
		const codes = Array.from({ length: 20 }, () => {
			const peer = peerFrom(harness, "10.0.0.1");
			const connack = peer.connect("c", { username: "anna", password: Buffer.from("apple") });
			return (connack as Connack).reasonCode;
		});
		assert.equal(codes.filter((code) => code === 0).length, 8);
		harness.host.advance(1000);
		assert.equal(loginFrom(harness, "10.0.0.1", "anna", "apple"), 0);
	});

	test("guesses from changing addresses: few are checked, and the right password is not kept out", () => {
		const harness = createHarness({ connections: 8, handshakes: 8 });
		let tries = 0;
		let refused = 0;
		const guess = () => {
			const peer = peerFrom(harness, `10.1.${tries >> 8}.${tries & 255}`);
			peer.connect("x", { username: "anna", password: Buffer.from(`guess ${tries++}`) });
			return peer;
		};
		const known = loginFrom(harness, "10.0.0.2", "ben", "banana");
		assert.equal(known, 0);
		const attackers = Array.from({ length: 8 }, guess);
		const run = (ms: number) => {
			for (let i = 0; i < ms; i += 5) {
				harness.host.advance(5);
				for (const [index, peer] of attackers.entries()) {
					if (!peer.closed) continue;
					refused++;
					attackers[index] = guess();
				}
			}
		};
		run(10_000);
		assert.ok(refused >= GUESS_BURST, `${refused}`);
		assert.ok(refused <= GUESS_BURST + 10_000 / GUESS_INTERVAL_MS + 1, `${refused}`);
		// a network that is known is served at once, a new one when it is its turn
		const peer = peerFrom(harness, "10.0.0.2");
		const back = peer.connect("back", { username: "ben", password: Buffer.from("banana") });
		assert.equal((back as Connack).reasonCode, 0);
		const fresh = peerFrom(harness, "10.0.0.3");
		fresh.connect("new", { username: "ben", password: Buffer.from("banana") });
		run(9 * GUESS_INTERVAL_MS + 200);
		assert.equal((fresh.shift("connack") as Connack | undefined)?.reasonCode, 0);
	});
});

test("response topics: another user with the same client identifier is told another one, and denied the first", () => {
	const acl = [rule("allow", "all", "response/{user}/{id}"), rule("allow", "publish", "response/#")];
	const harness = createHarness({ acl });
	const [anna, ben] = (["anna", "ben"] as const).map((name) => {
		const peer = harness.peer();
		const password = Buffer.from(name === "anna" ? "apple" : "banana");
		const properties = { requestResponseInformation: true };
		peer.connect("panel", { username: name, password, properties });
		harness.host.advance(1000);
		const connack = peer.shift("connack") as { properties?: { responseInformation?: string } } | undefined;
		assert.equal(connack?.properties?.responseInformation, `response/${name}/panel`);
		return peer;
	});
	const granted = (peer: TestClient, topic: string) =>
		(peer.subscribe(topic) as { granted?: number[] } | undefined)?.granted;
	assert.deepEqual(granted(anna, "response/anna/panel"), [0]);
	assert.deepEqual(granted(ben, "response/anna/panel"), [0x87]);
	ben.publish("response/anna/panel", "answer");
	assert.deepEqual(anna.messages(), ["response/anna/panel=answer"]);
});

test("after a restart, guesses from changing addresses: peers of stored sessions need not wait for a turn", () => {
	const storage = new PowerCutStorage();
	const settings = { anonymous: false, users, connections: 8, handshakes: 8 };
	const before = new BrokerHarness(settings, storage);
	const credentials = { username: "ben", password: Buffer.from("banana") };
	const lasting = { ...credentials, clean: false, properties: { sessionExpiryInterval: 1000 } };
	const networks = [2, 3, 4, 5].map((i) => `10.0.0.${i}`);
	for (const network of networks) {
		peerFrom(before, network).connect(network, lasting);
		before.host.advance(1000);
	}
	before.broker.stop();
	const harness = new BrokerHarness(settings, new PowerCutStorage(storage.values));
	let tries = 0;
	const guess = () => {
		const peer = peerFrom(harness, `10.1.${tries >> 8}.${tries & 255}`);
		peer.connect("x", { username: "anna", password: Buffer.from(`guess ${tries++}`) });
		return peer;
	};
	const attackers = Array.from({ length: 8 }, guess);
	const advance = () => {
		harness.host.advance(5);
		for (const [index, peer] of attackers.entries()) if (peer.closed) attackers[index] = guess();
	};
	for (let ms = 0; ms < 10_000; ms += 5) advance();
	for (const network of networks) {
		// a guess that is being checked, and its own check
		const peer = peerFrom(harness, network);
		let connack = peer.connect(network, lasting);
		for (let ms = 0; ms < GUESS_INTERVAL_MS && connack === undefined; ms += 5) {
			advance();
			connack = peer.shift("connack");
		}
		assert.equal((connack as Connack | undefined)?.reasonCode, 0, network);
	}
});

/** Opens a connection from an address. */
function peerFrom(harness: BrokerHarness, address: string): TestClient {
	const peer = new TestClient(harness.host, 5, address);
	harness.host.run();
	return peer;
}

function loginFrom(harness: BrokerHarness, address: string, username: string, password: string) {
	return login(harness, peerFrom(harness, address), username, password, { clientId: `of ${username}` }, 50);
}

test("a client identifier belongs to a user: others with the same one neither see nor disturb it", () => {
	const names = ["anna", "ben", undefined] as const;
	const passwords = { anna: "apple", ben: "banana" };
	for (const version of [4, 5] as const) {
		for (const clean of [true, false]) {
			const harness = createHarness({ anonymous: true });
			const loginAs = (name: (typeof names)[number], cleanStart = clean): TestClient => {
				const peer = harness.peer(version);
				const password = name && passwords[name];
				const properties = version === 5 && !cleanStart ? { properties: { sessionExpiryInterval: 60 } } : {};
				const fields = { clientId: "shared", clean: cleanStart, ...properties };
				assert.equal(login(harness, peer, name, password, fields), 0);
				return peer;
			};
			const first = names.map((name) => loginAs(name));
			for (const [index, peer] of first.entries()) {
				peer.subscribe(`to/${names[index]}`, { qos: 1 });
				assert.equal(peer.closed, false);
			}
			assert.equal(harness.broker.usage.sessions, 3);
			// each takes over only its own connection
			const second = names.map((name, index) => {
				const peer = loginAs(name);
				assert.deepEqual(
					first.map(({ closed }) => closed),
					names.map((_, other) => other <= index),
				);
				return peer;
			});
			for (const peer of second) peer.drop();
			assert.equal(harness.broker.usage.sessions, clean ? 0 : 3);
			if (clean) continue;
			// a clean start of one ends only its own session
			loginAs("ben", true).drop();
			assert.equal(harness.broker.usage.sessions, 2);
			for (const name of ["anna", undefined] as const)
				loginAs("anna").publish(`to/${name}`, "1", { qos: 1, messageId: 7 });
			assert.deepEqual(loginAs(undefined).messages(), ["to/undefined=1"]);
		}
	}
});

describe("access rules in the broker", () => {
	const acl = [
		rule("deny", "all", "secret/#"),
		rule("allow", "publish", "home/{id}/#"),
		rule("allow", "subscribe", "home/#", { client: "panel" }),
		rule("allow", "all", "users/{user}/#"),
		rule("allow", "all", "#", { user: "anna" }),
	];

	function loginAs(
		harness: BrokerHarness,
		id: string,
		username?: string,
		version: 4 | 5 = 5,
		fields: Record<string, unknown> = {},
	): TestClient {
		const peer = harness.peer(version);
		const password = username === "anna" ? "apple" : username === "ben" ? "banana" : undefined;
		assert.equal(login(harness, peer, username, password, { clientId: id, ...fields }), 0);
		return peer;
	}

	test("a PUBLISH that no rule allows: delivered to nobody, PUBACK 0x87 in MQTT 5.0", () => {
		const harness = createHarness({ anonymous: true, acl });
		const anna = loginAs(harness, "a", "anna");
		anna.subscribe("#");
		const node = loginAs(harness, "node");
		node.publish("home/node/x", "1", { qos: 1, messageId: 1 });
		assert.equal((node.shift("puback") as Connack).reasonCode, 0);
		node.publish("home/other/x", "2", { qos: 1, messageId: 2 });
		assert.equal((node.shift("puback") as Connack).reasonCode, 0x87);
		node.publish("users/node/x", "3");
		loginAs(harness, "b", "ben").publish("users/ben/x", "4").publish("users/anna/x", "5");
		anna.publish("secret/x", "6").publish("$SYS/x", "7");
		assert.deepEqual(anna.messages(), ["home/node/x=1", "users/ben/x=4"]);
	});

	test("a denied filter: SUBACK 0x87 or 0x80; a wildcard filter: no denied topic, live or retained", () => {
		const harness = createHarness({
			anonymous: true,
			acl: [...acl.slice(0, 1), rule("allow", "publish", "#"), ...acl.slice(2)],
		});
		const writer = loginAs(harness, "w");
		for (const topic of ["home/a", "users/ben/x", "users/anna/x", "other"])
			writer.publish(topic, "kept", { retain: true });
		const panel = loginAs(harness, "panel");
		assert.deepEqual((panel.subscribe("other") as unknown as { granted: number[] }).granted, [0x87]);
		assert.deepEqual(
			(loginAs(harness, "old", undefined, 4).subscribe("home/#") as unknown as { granted: number[] }).granted,
			[0x80],
		);
		assert.deepEqual((panel.subscribe("#") as unknown as { granted: number[] }).granted, [0]);
		assert.deepEqual(panel.messages(), ["home/a=kept"]);
		const ben = loginAs(harness, "b", "ben");
		ben.subscribe("+/+/#");
		assert.deepEqual(ben.messages(), ["users/ben/x=kept"]);
		for (const topic of ["home/a", "users/ben/x", "users/anna/x", "other"]) writer.publish(topic, "new");
		assert.deepEqual([panel.messages(), ben.messages()], [["home/a=new"], ["users/ben/x=new"]]);
	});

	test("a will that no rule allows: not published", () => {
		const harness = createHarness({ anonymous: true, acl });
		const anna = loginAs(harness, "a", "anna");
		anna.subscribe("#");
		for (const topic of ["home/x/will", "home/node/will", "secret/will", "$SYS/will"])
			loginAs(harness, "node", undefined, 5, {
				will: { topic, payload: Buffer.from("gone"), qos: 0, retain: false },
			}).drop();
		assert.deepEqual(anna.messages(), ["home/node/will=gone"]);
	});

	test("rules with {id}: client identifiers with /, + or #, or $ at the beginning, are refused", () => {
		const harness = createHarness({ anonymous: true, acl });
		for (const clientId of ["a/b", "+", "#", "a#", "$SYS"])
			assert.equal(login(harness, harness.peer(), undefined, undefined, { clientId }), 0x85);
		assert.equal(login(harness, harness.peer(), undefined, undefined, { clientId: "" }), 0);
		const unnamed = createHarness({ anonymous: true, acl: [rule("allow", "all", "#")] });
		assert.equal(login(unnamed, unnamed.peer(), undefined, undefined, { clientId: "a/b" }), 0);
	});
});
