import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { serverAddresses } from "../../src/client/server-reference";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

describe("the servers of a Server Reference", () => {
	test("the examples of §4.11, and what else is met: host and port", () => {
		for (const [reference, expected] of [
			["myserver.xyz.org", ["myserver.xyz.org 1883"]],
			["myserver.xyz.org:8883", ["myserver.xyz.org 8883"]],
			["10.10.151.22:8883 [fe80::9610:3eff:fe1c]:1884", ["10.10.151.22 8883", "fe80::9610:3eff:fe1c 1884"]],
			["fe80::1 [fe80::2]", ["fe80::1 1883", "fe80::2 1883"]],
			["  a   b:1  ", ["a 1883", "b 1"]],
			["a:65535 a:65536 a:0 a: a:1x :1 a:-1 a:99999999999999999999", ["a 65535"]],
			["[a [a[b] [a]x [a]:0 []:1 a]:1 x[a]:1", []],
			["", []],
		] as const)
			assert.deepEqual(
				serverAddresses(reference, 1883).map(({ host, port }) => `${host} ${port}`),
				expected,
				reference,
			);
	});

	test("any text: no exception, and only hosts with a port that exists", () => {
		const odd = fc.string({ unit: fc.constantFrom(..."ab:[]. 019".split("")), maxLength: 40 });
		fc.assert(
			fc.property(fc.oneof(odd, fc.string()), (text) => {
				for (const { host, port } of serverAddresses(text, 1883)) {
					assert.ok(host.length > 0 && !/[[\] ]/.test(host));
					assert.ok(Number.isInteger(port) && port >= 1 && port <= 65_535);
				}
			}),
		);
	});

	test("any list of servers: read as it was written", () => {
		const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
		const address = fc.record({
			host: fc.oneof(
				name,
				fc.ipV6().filter((text) => !text.includes(".")),
			),
			port: fc.option(fc.integer({ min: 1, max: 65_535 })),
		});
		fc.assert(
			fc.property(fc.array(address), (addresses) => {
				const text = addresses.map(({ host, port }) =>
					port === null ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`,
				);
				assert.deepEqual(
					serverAddresses(text.join(" "), 1883),
					addresses.map(({ host, port }) => ({ host, port: port ?? 1883 })),
				);
			}),
		);
	});
});

describe("a broker that refers to another server", () => {
	for (const [name, script] of [
		[
			"CONNACK 0x9c",
			{ connack: { reasonCode: 0x9c, properties: { serverReference: "10.0.0.2:1884 10.0.0.3" } } },
		],
		[
			"DISCONNECT 0x9d",
			{
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.send({
						cmd: "disconnect",
						reasonCode: 0x9d,
						properties: { serverReference: "10.0.0.2:1884" },
					});
					return true;
				},
			},
		],
	] as readonly (readonly [string, BrokerScript])[])
		test(`${name}: onClosed has its reference, open() follows it, for one connection`, () => {
			const network = new VirtualNetwork({ latency: 10 });
			const first = new ScriptedBroker(network, 1883, script);
			const second = new ScriptedBroker(network, 1884);
			const hosts: string[] = [];
			const { resolve } = network.device;
			const device = {
				...network.device,
				resolve: (host: string, callback: Parameters<typeof resolve>[1]) => {
					hosts.push(host);
					resolve(host, callback);
				},
			};
			const node: RecordingClient = new RecordingClient({ host: "10.0.0.1" }, device, {
				onClosed(error) {
					if (error?.serverReference === undefined) return;
					const [server] = serverAddresses(error.serverReference, 1883);
					node.client.open({ server });
				},
			});
			node.open();
			network.clock.advance(100);
			if (script.answer !== undefined) node.publish("1", 2);
			network.clock.advance(1000);
			assert.equal(node.client.state, "open");
			assert.ok(node.publish("2", 2) > 0);
			network.clock.advance(100);
			assert.equal(node.acknowledged.length, 1);
			assert.deepEqual(second.commands, ["connect", "publish"]);
			node.close();
			network.clock.advance(1000);
			node.open();
			network.clock.advance(100);
			assert.deepEqual(hosts.slice(0, 3), ["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
			assert.ok(first.connections.length >= 2);
		});
});
