import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/settings";
import { World } from "../broker/support/world";
import { hashOf } from "./hashes";

const PASSWORD = "pomegranate-7";
const users = [{ name: "anna", hash: hashOf(PASSWORD) }];

/** Everything of the broker's that is made once the world stands, and its memory. */
class Search {
	readonly world: World;
	readonly #made: Uint8Array[] = [];

	constructor(settings: Partial<ListenSettings> = {}) {
		this.world = new World({ anonymous: false, users, ...settings });
	}

	/** Sends CONNECT. */
	connect(version: 4 | 5, password: string, fields: Record<string, unknown> = {}) {
		const peer = this.world.peer(version);
		const bytes = peer.encode({
			...{ cmd: "connect", protocolId: "MQTT", protocolVersion: version, clean: true, clientId: "c", keepalive: 60 },
			...{ username: "anna", password: Buffer.from(password) },
			...fields,
		});
		const Original = Uint8Array;
		const made = this.#made;
		globalThis.Uint8Array = class extends Original {
			constructor(...values: ConstructorParameters<typeof Uint8Array>) {
				super(...values);
				made.push(this);
			}
		} as unknown as Uint8ArrayConstructor;
		try {
			peer.sendRaw(bytes);
		} finally {
			globalThis.Uint8Array = Original;
		}
		return peer;
	}

	/** Whether the password is anywhere. */
	get found(): boolean {
		const all = [...this.#made];
		this.world.broker.forEachValue((bytes) => all.push(bytes));
		return all.some((bytes) => Buffer.from(bytes).includes(PASSWORD));
	}

	/** Where values lie, the packet that is being read lies too. */
	value(): this {
		const peer = this.connect(5, PASSWORD, { clientId: "writer" });
		this.world.host.advance(1000);
		assert.equal((peer.shift("connack") as { reasonCode?: number }).reasonCode, 0);
		peer.publish("t", "1", { retain: true });
		return this;
	}
}

describe("a password is wiped", () => {
	for (const version of [4, 5] as const) {
		test(`MQTT ${version}: once it was judged, right or wrong, known or not`, () => {
			const search = new Search().value();
			assert.ok(!search.found);
			for (const [username, password, judged] of [
				["anna", PASSWORD, false],
				["anna", `${PASSWORD}x`, true],
				["nobody", PASSWORD, true],
			] as const) {
				const peer = search.connect(version, password, { username });
				assert.equal(search.found, judged, "only what is being judged is kept");
				search.world.host.advance(1000);
				assert.ok(peer.shift("connack"));
				assert.ok(!search.found);
			}
		});
	}

	test("when its client goes meanwhile", () => {
		const search = new Search().value();
		const peer = search.connect(5, `${PASSWORD}x`);
		assert.ok(search.found);
		peer.drop();
		search.world.host.advance(1000);
		assert.ok(!search.found);
	});

	test("where it is not looked at: a packet that cannot be read, an authentication method, too many failures", () => {
		const search = new Search().value();
		search.connect(5, PASSWORD, { properties: { authenticationMethod: "m" } });
		assert.ok(!search.found);
		const peer = search.world.peer(5);
		const bytes = peer.encode({
			...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "c", keepalive: 60 },
			...{ username: "anna", password: Buffer.from(PASSWORD) },
		});
		bytes[9] |= 1; // a reserved flag
		peer.sendRaw(bytes);
		assert.ok(!search.found);
		for (let i = 0; i < 4; i++) {
			search.connect(5, "guess");
			search.world.host.advance(50);
		}
		const late = search.connect(5, PASSWORD);
		assert.equal((late.shift("connack") as { reasonCode?: number }).reasonCode, 0x9f);
		assert.ok(!search.found);
	});
});
