import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hashOf } from "../access/password-hash";
import { packetOfEachType } from "../support/packet-of-each-type";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

type Version = 4 | 5;

const USER = "u";
const PASSWORD = "pw";
/** A password takes the broker several timer events; one that it has just checked, none. */
const users = [USER, "other"].map((name) => ({ name, hash: hashOf(PASSWORD, 1000) }));
/** Longest check of a password, ms. */
const LOGIN_MS = 1000;

/** CONNECT of the client "c" with a password: clean start, without keep alive. */
function connect(version: Version): number[] {
	const properties = version === 5 ? [0] : [];
	const strings = ["c", USER, PASSWORD].flatMap((text) => [0, text.length, ...Buffer.from(text)]);
	const body = [0, 4, ...Buffer.from("MQTT"), version, 0xc2, 0, 0, ...properties, ...strings];
	return [0x10, body.length, ...body];
}

const phases = ["before CONNECT", "authenticating", "connected", "draining"] as const;
type PhaseName = (typeof phases)[number];

/** Brings a connection into a phase, sends one packet over it, and tells what the broker does. */
function outcome(version: Version, phase: PhaseName, packet: readonly number[]): string {
	const harness = new BrokerHarness({ anonymous: false, users });
	const { host } = harness;
	// As on a chip, where the broker itself drains a connection.
	host.lingeringClose = false;
	const subscriber = login(harness, harness.peer(5), "s", "other");
	subscriber.subscribe("#", { qos: 1 });
	const peer = harness.peer(version);
	if (phase === "authenticating") peer.sendRaw(Uint8Array.from(connect(version)));
	if (phase === "connected" || phase === "draining") login(harness, peer, "c");
	if (phase === "draining") {
		login(harness, harness.peer(version), "c");
		assert.equal(peer.shift("disconnect") !== undefined, version === 5);
	}
	assert.deepEqual(peer.packets, []);
	assert.ok(!peer.closed);
	peer.sendRaw(Uint8Array.from(packet));
	if (phase !== "draining") host.advance(LOGIN_MS);
	const words = peer.packets.map((sent) => {
		const { cmd, reasonCode = 0 } = sent as { readonly cmd: string; readonly reasonCode?: number };
		return reasonCode >= 0x80 ? `${cmd} 0x${reasonCode.toString(16)}` : cmd;
	});
	if (subscriber.messages().length > 0) words.push("delivered");
	if (peer.closed) words.push("closed");
	assert.ok(!subscriber.closed, "another client is served");
	assert.deepEqual(host.traces, []);
	if (phase === "draining") {
		// Whatever the peer does: not for long.
		host.advance(LOGIN_MS);
		assert.ok(peer.closed);
	}
	return words.join(", ") || "nothing";
}

function login(harness: BrokerHarness, peer: TestClient, clientId: string, username = USER): TestClient {
	const fields = { username, password: Buffer.from(PASSWORD), keepalive: 0 };
	let answer = peer.connect(clientId, fields);
	if (answer === undefined) {
		harness.host.advance(LOGIN_MS);
		answer = peer.shift("connack");
	}
	const connack = answer as { reasonCode?: number; returnCode?: number } | undefined;
	assert.equal(connack?.reasonCode ?? connack?.returnCode, 0);
	return peer;
}

function rows(version: Version): string {
	return Object.entries({ ...packetOfEachType(version), CONNECT: connect(version) })
		.map(([name, packet]) => {
			const cells = phases.map((phase) => outcome(version, phase, packet).padEnd(34));
			return `${name.padEnd(13)}${cells.join("")}`.trimEnd();
		})
		.join("\n");
}

describe("each packet in each phase of a broker's connection", () => {
	// Columns: before CONNECT, while its password is checked, after CONNACK, and after the last packet, while
	// input is discarded. [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT-3.1.4-5] [MQTT-4.13.1-1]
	test("MQTT 5.0: a packet before CONNECT closes; an illegal one afterwards is answered with DISCONNECT 0x82", () => {
		const golden = `
CONNECT      connack                           connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing
CONNACK      closed                            connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing
PUBLISH      closed                            connack, puback, delivered        puback, delivered                 nothing
PUBACK       closed                            connack                           nothing                           nothing
PUBREC       closed                            connack, pubrel 0x92              pubrel 0x92                       nothing
PUBREL       closed                            connack, pubcomp 0x92             pubcomp 0x92                      nothing
PUBCOMP      closed                            connack                           nothing                           nothing
SUBSCRIBE    closed                            connack, suback                   suback                            nothing
SUBACK       closed                            connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing
UNSUBSCRIBE  closed                            connack, unsuback                 unsuback                          nothing
UNSUBACK     closed                            connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing
PINGREQ      closed                            connack, pingresp                 pingresp                          nothing
PINGRESP     closed                            connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing
DISCONNECT   closed                            connack, closed                   closed                            nothing
AUTH         closed                            connack, disconnect 0x82, closed  disconnect 0x82, closed           nothing`;
		assert.equal(`\n${rows(5)}`, golden);
	});

	// [MQTT-3.1.1:3.1.0-1] [MQTT-3.1.1:3.1.0-2] [MQTT-3.1.1:4.8.0-1]
	test("MQTT 3.1.1: an illegal packet closes the connection", () => {
		const golden = `
CONNECT      connack                           connack, closed                   closed                            nothing
CONNACK      closed                            connack, closed                   closed                            nothing
PUBLISH      closed                            connack, puback, delivered        puback, delivered                 nothing
PUBACK       closed                            connack                           nothing                           nothing
PUBREC       closed                            connack, pubrel                   pubrel                            nothing
PUBREL       closed                            connack, pubcomp                  pubcomp                           nothing
PUBCOMP      closed                            connack                           nothing                           nothing
SUBSCRIBE    closed                            connack, suback                   suback                            nothing
SUBACK       closed                            connack, closed                   closed                            nothing
UNSUBSCRIBE  closed                            connack, unsuback                 unsuback                          nothing
UNSUBACK     closed                            connack, closed                   closed                            nothing
PINGREQ      closed                            connack, pingresp                 pingresp                          nothing
PINGRESP     closed                            connack, closed                   closed                            nothing
DISCONNECT   closed                            connack, closed                   closed                            nothing
AUTH         closed                            connack, closed                   closed                            nothing`;
		assert.equal(`\n${rows(4)}`, golden);
	});
});
