import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/settings";
import { BrokerHarness } from "../broker/support/broker-harness";
import { hashOf } from "./password-hash";

const PASSWORD = "pomegranate-7";
const users = [{ name: "anna", hash: hashOf(PASSWORD) }];

/** Searches the broker's memory, and the arrays created while it handles CONNECT, for the password. */
class PasswordSearch {
	readonly harness: BrokerHarness;
	readonly #createdArrays: Uint8Array[] = [];

	constructor(settings: Partial<ListenSettings> = {}) {
		this.harness = new BrokerHarness({ anonymous: false, users, ...settings });
	}

	/** Sends CONNECT and records the arrays that are created meanwhile. */
	connect(version: 4 | 5, password: string, fields: Record<string, unknown> = {}) {
		const peer = this.harness.peer(version);
		const bytes = peer.encode({
			...{
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: version,
				clean: true,
				clientId: "c",
				keepalive: 60,
			},
			...{ username: "anna", password: Buffer.from(password) },
			...fields,
		});
		const Original = Uint8Array;
		const createdArrays = this.#createdArrays;
		globalThis.Uint8Array = class extends Original {
			constructor(...values: ConstructorParameters<typeof Uint8Array>) {
				super(...values);
				createdArrays.push(this);
			}
		} as unknown as Uint8ArrayConstructor;
		try {
			peer.sendRaw(bytes);
		} finally {
			globalThis.Uint8Array = Original;
		}
		return peer;
	}

	/** Whether the password is in the broker's memory or in a recorded array. */
	get foundPassword(): boolean {
		const all = [...this.#createdArrays];
		this.harness.broker.forEachValue((bytes) => all.push(bytes));
		return all.some((bytes) => Buffer.from(bytes).includes(PASSWORD));
	}

	/** Publishes a retained message: forEachValue() passes the memory, which holds received packets too. */
	publishRetained(): this {
		const peer = this.connect(5, PASSWORD, { clientId: "writer" });
		this.harness.host.advance(1000);
		assert.equal((peer.shift("connack") as { reasonCode?: number }).reasonCode, 0);
		peer.publish("t", "1", { retain: true });
		return this;
	}
}

describe("password wiping", () => {
	for (const version of [4, 5] as const) {
		test(`MQTT ${version}, the password was checked, right or wrong: no copy remains`, () => {
			const passwordSearch = new PasswordSearch().publishRetained();
			assert.ok(!passwordSearch.foundPassword);
			for (const [username, password, keptWhileAuthenticating] of [
				["anna", PASSWORD, false],
				["anna", `${PASSWORD}x`, true],
				["nobody", PASSWORD, true],
			] as const) {
				const peer = passwordSearch.connect(version, password, { username });
				assert.equal(
					passwordSearch.foundPassword,
					keptWhileAuthenticating,
					"only what is being judged is kept",
				);
				passwordSearch.harness.host.advance(1000);
				assert.ok(peer.shift("connack"));
				assert.ok(!passwordSearch.foundPassword);
			}
		});
	}

	test("the client closes during the check: no copy remains", () => {
		const passwordSearch = new PasswordSearch().publishRetained();
		const peer = passwordSearch.connect(5, `${PASSWORD}x`);
		assert.ok(passwordSearch.foundPassword);
		peer.drop();
		passwordSearch.harness.host.advance(1000);
		assert.ok(!passwordSearch.foundPassword);
	});

	test("no check (malformed CONNECT, authentication method, too many failures): no copy remains", () => {
		const passwordSearch = new PasswordSearch().publishRetained();
		passwordSearch.connect(5, PASSWORD, { properties: { authenticationMethod: "m" } });
		assert.ok(!passwordSearch.foundPassword);
		const peer = passwordSearch.harness.peer(5);
		const bytes = peer.encode({
			...{
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: 5,
				clean: true,
				clientId: "c",
				keepalive: 60,
			},
			...{ username: "anna", password: Buffer.from(PASSWORD) },
		});
		bytes[9] |= 1; // a reserved flag
		peer.sendRaw(bytes);
		assert.ok(!passwordSearch.foundPassword);
		for (let i = 0; i < 4; i++) {
			passwordSearch.connect(5, `guess ${i}`);
			passwordSearch.harness.host.advance(50);
		}
		const late = passwordSearch.connect(5, PASSWORD, { username: "nobody" });
		assert.equal((late.shift("connack") as { reasonCode?: number }).reasonCode, 0x9f);
		assert.ok(!passwordSearch.foundPassword);
	});
});
