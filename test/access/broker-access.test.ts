import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings, RuleSettings } from "../../src/config/settings";
import { BrokerHarness } from "../broker/support/broker-harness";
import type { TestClient } from "../broker/support/test-client";
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
): number | undefined {
	const credentials = {
		...(username === undefined ? {} : { username }),
		...(password === undefined ? {} : { password: Buffer.from(password) }),
	};
	const connack = (peer.connect("c", { ...credentials, ...fields }) ?? awaitConnack(harness, peer)) as
		| Connack
		| undefined;
	return connack?.reasonCode ?? connack?.returnCode;
}

function awaitConnack(harness: BrokerHarness, peer: TestClient): unknown {
	harness.host.advance(1000);
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

	test("repeated login failures: 0x9F for a growing delay, with the right password as well", () => {
		const harness = createHarness();
		const peers: TestClient[] = [];
		const attempt = (password: string) => {
			const peer = harness.peer();
			peers.push(peer);
			const code = peer.connect("c", { username: "anna", password: Buffer.from(password) }) as
				| Connack
				| undefined;
			if (code !== undefined) return code.reasonCode;
			harness.host.advance(50);
			return (peer.shift("connack") as Connack).reasonCode;
		};
		for (let i = 0; i < 4; i++) assert.equal(attempt("guess"), 0x86);
		assert.equal(attempt("guess"), 0x9f);
		assert.equal(attempt("apple"), 0x9f);
		harness.host.advance(1000);
		assert.equal(attempt("guess"), 0x86);
		harness.host.advance(1000);
		assert.equal(attempt("apple"), 0x9f);
		harness.host.advance(1000);
		assert.equal(attempt("apple"), 0);
		assert.equal(attempt("guess"), 0x86);
		assert.equal(attempt("apple"), 0x9f);
	});

	test("a session of a user: refused to other users and to anonymous clients", () => {
		const harness = createHarness({ anonymous: true });
		const holderPeer = harness.peer();
		assert.equal(login(harness, holderPeer, "anna", "apple", { clientId: "shared" }), 0);
		assert.equal(login(harness, harness.peer(), "ben", "banana", { clientId: "shared" }), 0x87);
		assert.equal(login(harness, harness.peer(), undefined, undefined, { clientId: "shared" }), 0x87);
		assert.equal(holderPeer.closed, false);
		assert.equal(login(harness, harness.peer(), "anna", "apple", { clientId: "shared" }), 0);
		assert.equal(holderPeer.closed, true);
	});
});

test("a client identifier in use: refused to other users until its session ends", () => {
	const names = ["anna", "ben", undefined] as const;
	for (const version of [4, 5] as const) {
		for (const holder of names) {
			for (const clean of [true, false]) {
				const harness = createHarness({ anonymous: true });
				const loginAs = (
					name: (typeof names)[number],
					cleanStart: boolean,
				): [TestClient, number | undefined] => {
					const peer = harness.peer(version);
					const password = { anna: "apple", ben: "banana", "": undefined }[name ?? ""];
					const properties =
						version === 5 && !cleanStart ? { properties: { sessionExpiryInterval: 60 } } : {};
					return [
						peer,
						login(harness, peer, name, password, { clientId: "shared", clean: cleanStart, ...properties }),
					];
				};
				/** Codes that the other users receive, with and without clean start. */
				const othersReasonCodes = () =>
					names.flatMap((name) =>
						name === holder ? [] : [true, false].map((cleanStart) => loginAs(name, cleanStart)[1]),
					);
				const refused = Array(4).fill(version === 4 ? 5 : 0x87);
				const [first] = loginAs(holder, clean);
				assert.deepEqual(othersReasonCodes(), refused);
				assert.equal(first.closed, false);
				const [second, code] = loginAs(holder, clean);
				assert.deepEqual([code, first.closed], [0, true]);
				second.drop();
				// a clean session has ended, a persistent one has not
				if (clean) assert.equal(othersReasonCodes()[0], 0);
				else assert.deepEqual(othersReasonCodes(), refused);
			}
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
