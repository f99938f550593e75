import assert from "node:assert/strict";
import { test } from "node:test";
import tls from "node:tls";
import fc from "fast-check";
import { isForServer, isIPv4, type SubjectName } from "../../firmware/tls/server-name";

const dns = (value: string): SubjectName => ({ tag: 2, value });
const ip = (...bytes: number[]): SubjectName => ({ tag: 7, value: Uint8Array.from(bytes).buffer });

test("a certificate is for the names in it, whatever their case", () => {
	const names = [dns("Broker.example"), dns("*.home.example"), ip(192, 168, 1, 10)];
	for (const [name, expected] of [
		["broker.example", true],
		["BROKER.EXAMPLE", true],
		["a.home.example", true],
		["192.168.1.10", true],
		["home.example", false],
		["a.b.home.example", false],
		["xbroker.example", false],
		["broker.example.org", false],
		["192.168.1.1", false],
		["", false],
	] as const)
		assert.equal(isForServer(names, name), expected, name);
	assert.equal(isForServer(undefined, "broker.example"), false);
	assert.equal(isForServer([], "broker.example"), false);
});

test("an address is no name, and a name of another kind is none", () => {
	assert.equal(isForServer([dns("10.0.0.1")], "10.0.0.1"), false);
	assert.equal(isForServer([{ tag: 6, value: "broker.example" }], "broker.example"), false);
	assert.equal(isForServer([{ tag: 7, value: new ArrayBuffer(16) }], "0.0.0.0"), false);
});

test("a wildcard stands for one label, and never for a whole domain", () => {
	for (const pattern of ["*", "*.", "*.example", "a*.home.example", "a.*.example", "*.*.example"])
		assert.equal(isForServer([dns(pattern)], "ab.home.example"), false, pattern);
	assert.equal(isForServer([dns("*.example")], "home.example"), false);
});

test("random names: the answer is that of Node's check, where that has no wildcard of its own kind", () => {
	const label = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/);
	const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
	const pattern = fc
		.tuple(fc.boolean(), fc.array(label, { minLength: 2, maxLength: 3 }))
		.map(([isWild, labels]) => `${isWild ? "*." : ""}${labels.join(".")}`);
	fc.assert(
		fc.property(
			fc.array(pattern, { minLength: 1, maxLength: 3 }),
			name,
			fc.boolean(),
			(patterns, other, isDerived) => {
				const wanted = isDerived ? patterns[0]!.replace("*", "x") : other;
				const certificate = { subject: {}, subjectaltname: patterns.map((text) => `DNS:${text}`).join(", ") };
				const problem = tls.checkServerIdentity(wanted, certificate as unknown as tls.PeerCertificate);
				assert.equal(isForServer(patterns.map(dns), wanted), problem === undefined, `${patterns} ${wanted}`);
			},
		),
		{ numRuns: 2000 },
	);
});

test("IPv4 addresses are told from names", () => {
	for (const text of ["0.0.0.0", "192.168.1.10", "255.255.255.255"]) assert.ok(isIPv4(text), text);
	for (const text of ["", "1.2.3", "1.2.3.4.5", "1.2.3.x", "1..2.3", "1000.1.1.1", "broker"])
		assert.ok(!isIPv4(text), text);
});
