import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { lookUpName } from "../../sim/network/name-lookup";
import type { Announcement } from "../../src/mdns/announcer";
import { announceOnLoopback, LOOPBACK, skipWithoutMulticast } from "./loopback";
import { PythonZeroconf, skipWithoutZeroconf } from "./python-zeroconf";

const skip = skipWithoutMulticast || skipWithoutZeroconf;
/** No other test and no broker of this machine has it. */
const HOST = `firefly-test-${process.pid}`;
const SERVICES = [
	{ type: "_mqtt._tcp", port: 1883 },
	{ type: "_http._tcp", port: 8080, text: "path=/" },
];

/** @returns the name that was announced */
function announce(t: TestContext, announcement: Omit<Announcement, "onAnnounced">) {
	return new Promise<{ readonly host: string; stop(): void }>((resolve, reject) => {
		const announcer = announceOnLoopback(
			{ ...announcement, onAnnounced: (host) => resolve({ host, stop: () => announcer.stop() }) },
			reject,
		);
		t.after(() => announcer.stop());
	});
}

function lookUp(name: string): Promise<string | undefined> {
	return new Promise((resolve) => lookUpName(name, 4, resolve));
}

function peer(t: TestContext): PythonZeroconf {
	const zeroconf = new PythonZeroconf(HOST);
	t.after(() => zeroconf.close());
	return zeroconf;
}

test("python-zeroconf browses: it finds services, port, address and text, and forgets them at the goodbye", {
	skip,
}, async (t) => {
	const zeroconf = peer(t);
	const { stop } = await announce(t, { host: HOST, instance: `Grünhaus ${HOST}`, services: SERVICES });
	zeroconf.send({ browse: "_mqtt._tcp.local." });
	const name = `Grünhaus ${HOST}._mqtt._tcp.local.`;
	assert.deepEqual(await zeroconf.event("added"), {
		event: "added",
		name,
		server: `${HOST}.local.`,
		port: 1883,
		addresses: [LOOPBACK],
		properties: {},
	});
	zeroconf.send({ browse: "_http._tcp.local." });
	const { port, properties } = await zeroconf.event("added");
	assert.deepEqual([port, properties], [8080, { path: "/" }]);
	stop();
	const removed = [await zeroconf.event("removed"), await zeroconf.event("removed")];
	assert.deepEqual(removed.map(({ name }) => name).toSorted(), [name.replace("_mqtt", "_http"), name]);
});

test("python-zeroconf has the name of the service: ours is the next one, and either's host is found", {
	skip,
}, async (t) => {
	const zeroconf = peer(t);
	const host = `${HOST}-b`;
	zeroconf.send({ register: host, host: `${host}-other.local.`, address: "127.0.0.7" });
	await zeroconf.event("registered");
	await announce(t, { host, instance: host, services: SERVICES });
	zeroconf.send({ browse: "_mqtt._tcp.local." });
	const found = [await zeroconf.event("added"), await zeroconf.event("added")];
	assert.deepEqual(found.map(({ name, port }) => [name, port]).toSorted(), [
		[`${host} (2)._mqtt._tcp.local.`, 1883],
		[`${host}._mqtt._tcp.local.`, 9],
	]);
	assert.equal(await lookUp(`${host}-other.local`), "127.0.0.7");
	assert.equal(await lookUp(`${host}.local`), LOOPBACK);
});

test("two brokers on one machine: names of their own for the service, one for the host", {
	skip: skipWithoutMulticast,
}, async (t) => {
	const host = `${HOST}-c`;
	const first = await announce(t, { host, instance: host, services: [{ type: "_mqtt._tcp", port: 1 }] });
	const second = await announce(t, { host, instance: host, services: [{ type: "_mqtt._tcp", port: 2 }] });
	assert.deepEqual([first.host, second.host], [host, host]);
	assert.equal(await lookUp(`${host}.LOCAL.`), LOOPBACK);
});

test("a local name that nobody has, and one that is none: no address", {
	skip: skipWithoutMulticast,
}, async () => {
	assert.equal(await lookUp(`${HOST}-nobody.local`), undefined);
	assert.equal(await lookUp(`${"x".repeat(64)}.local`), undefined);
	assert.equal(await lookUp("..local"), undefined);
});
