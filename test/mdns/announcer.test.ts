import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import type { UDPOptions } from "../../src/device";
import { type Announcement, Announcer } from "../../src/mdns/announcer";
import {
	addressData,
	decode,
	describe,
	encode,
	type Parts,
	portData,
	RESPONSE,
	wireName,
} from "./dns-message";
import { Link, type Sent } from "./link";

const ADDRESS = "10.0.0.1";
const QUERIER = "10.0.0.99";
const GROUP = "224.0.0.251";
const FIREFLY: Announcement = {
	host: "firefly",
	instance: "greenhouse",
	services: [
		{ type: "_mqtt._tcp", port: 1883 },
		{ type: "_http._tcp", port: 8080, text: "path=/" },
	],
};
const MQTT = "greenhouse._mqtt._tcp.local";
const A = "A firefly.local 10.0.0.1 120!";
const SRV = `SRV ${MQTT} 1883 firefly.local 120!`;
const TXT = `TXT ${MQTT}  4500!`;
const PTR = `PTR _mqtt._tcp.local ${MQTT} 4500`;

/** A link whose only announcer has announced itself. */
function announced(announcement = FIREFLY): Link {
	const link = new Link();
	link.start(ADDRESS, announcement);
	link.advance(60_000);
	return link;
}

/** What is sent within a time of a message from {@link QUERIER}. */
function ask(link: Link, parts: Parts, ms = 200, port = 5353): Sent[] {
	link.send(encode(parts), QUERIER, port);
	return link.advance(ms);
}

/** The first probe, at the time when it leaves: at once, or up to 250 ms later. */
function firstProbe(link: Link): Sent {
	for (;;) {
		const [probe] = link.advance(1);
		if (probe !== undefined) return probe;
	}
}

const answers = (sent: readonly Sent[]): string[] =>
	sent.flatMap(({ message }) => message.answers.map(describe));
const additional = (sent: readonly Sent[]): string[] =>
	sent.flatMap(({ message }) => message.additional.map(describe));

suite("claiming", () => {
	test("start: three probes 250 ms apart after at most 250 ms, then two announcements a second apart", () => {
		const link = new Link();
		const names: string[] = [];
		link.start(ADDRESS, { ...FIREFLY, onAnnounced: (host) => names.push(host) });
		link.clock.advance(10_000);
		const [first] = link.sent;
		assert.ok(first.at <= 250);
		assert.deepEqual(
			link.sent.map(({ at }) => at - first.at),
			[0, 250, 500, 750, 1750],
		);
		for (const { message, to, port } of link.sent.slice(0, 3)) {
			assert.deepEqual([to, port, message.flags, message.id], [GROUP, 5353, 0, 0]);
			assert.deepEqual(
				message.questions.map(({ name, type, unicast }) => [name, type, unicast]),
				["firefly.local", MQTT, "greenhouse._http._tcp.local"].map((name) => [name, "ANY", true]),
			);
			assert.deepEqual(message.authority.map(describe), [
				"A firefly.local 10.0.0.1 120",
				`SRV ${MQTT} 1883 firefly.local 120`,
				`TXT ${MQTT}  4500`,
				"SRV greenhouse._http._tcp.local 8080 firefly.local 120",
				"TXT greenhouse._http._tcp.local path=/ 4500",
			]);
		}
		for (const { message } of link.sent.slice(3)) {
			assert.deepEqual([message.flags, message.id, message.questions.length], [RESPONSE, 0, 0]);
			assert.deepEqual(message.answers.map(describe), [
				A,
				SRV,
				TXT,
				PTR,
				"PTR _services._dns-sd._udp.local _mqtt._tcp.local 4500",
				"SRV greenhouse._http._tcp.local 8080 firefly.local 120!",
				"TXT greenhouse._http._tcp.local path=/ 4500!",
				"PTR _http._tcp.local greenhouse._http._tcp.local 4500",
				"PTR _services._dns-sd._udp.local _http._tcp.local 4500",
			]);
		}
		assert.deepEqual(names, ["firefly"]);
	});

	test("another host has the name: the next number is taken, and its holder is left alone", () => {
		const link = announced();
		const names: string[] = [];
		link.start("10.0.0.2", {
			...FIREFLY,
			instance: "cellar",
			onAnnounced: (host) => names.push(host),
		});
		link.advance(10_000);
		assert.deepEqual(names, ["firefly-2"]);
		assert.deepEqual(answers(ask(link, { questions: [["firefly.local", "A"]] })), [A]);
		assert.deepEqual(answers(ask(link, { questions: [["firefly-2.local", "A"]] })), [
			"A firefly-2.local 10.0.0.2 120!",
		]);
	});

	test("three hosts with the same names on, one after the other: each has its own", () => {
		const link = announced();
		const names: string[] = [];
		for (const address of ["10.0.0.2", "10.0.0.3"]) {
			link.start(address, { ...FIREFLY, onAnnounced: (host) => names.push(host) });
			link.advance(20_000);
		}
		assert.deepEqual(names, ["firefly-2", "firefly-3"]);
		assert.deepEqual(
			answers(ask(link, { questions: [["_mqtt._tcp.local", "PTR"]] })).toSorted(),
			[
				PTR,
				PTR.replace("greenhouse", "greenhouse (2)"),
				PTR.replace("greenhouse", "greenhouse (3)"),
			].toSorted(),
		);
	});

	test("two hosts claim the name at the same time: the one with the higher address gets it", () => {
		for (let run = 0; run < 20; run++) {
			const link = new Link();
			const names = new Map<string, string>();
			for (const address of ["10.0.0.2", "10.0.0.10"])
				link.start(address, {
					...FIREFLY,
					instance: address,
					onAnnounced: (host) => names.set(address, host),
				});
			link.advance(30_000);
			assert.deepEqual([names.get("10.0.0.2"), names.get("10.0.0.10")], ["firefly-2", "firefly"]);
		}
	});

	test("a probe of another host for the same name, later than ours: a second's wait, then it is claimed", () => {
		const link = new Link();
		link.start(ADDRESS, { ...FIREFLY, services: [] });
		const probe = firstProbe(link);
		link.send(claim("firefly.local", "10.0.0.2"), "10.0.0.2");
		const sent = link.advance(3000);
		const next = sent.find(({ at }) => at > probe.at + 251)!;
		assert.ok(next.at >= 1000 && next.message.questions.length === 1, "probes again after a second");
		assert.equal(sent.at(-1)?.message.answers.map(describe)[0], A);
	});

	test("a probe of another host for the same name, earlier than ours: ours goes on", () => {
		const link = new Link();
		link.start(ADDRESS, { ...FIREFLY, services: [] });
		const probe = firstProbe(link);
		link.send(claim("firefly.local", "9.255.255.255"), "10.0.0.2");
		assert.deepEqual(
			link.advance(1000).map(({ at }) => at - probe.at),
			[250, 500, 750],
		);
	});

	test("the names in use by others 15 times: then a try every five seconds", () => {
		const link = new Link();
		link.start(ADDRESS, { ...FIREFLY, services: [] });
		const probes: Sent[] = [];
		let answered = 0;
		while (link.clock.now < 60_000)
			for (const sent of link.advance(50)) {
				const [question] = sent.message.questions;
				if (question === undefined || answered === sent.at) continue;
				answered = sent.at;
				probes.push(sent);
				link.send(
					encode({ flags: RESPONSE, answers: [[question.name, "A", 120, addressData("10.0.0.7")]] }),
					"10.0.0.7",
				);
			}
		assert.ok(probes.filter(({ at }) => at > 10_000).length <= 11, `${probes.length} probes in a minute`);
		assert.ok(new Set(probes.map(({ message }) => message.questions[0].name)).size > 15);
	});

	test("other programs have the port too: the probes ask for answers to all", () => {
		const link = new Link();
		link.start(ADDRESS, { ...FIREFLY, sharesPort: true });
		const [{ message }] = link.advance(1000);
		assert.deepEqual(
			message.questions.map(({ unicast }) => unicast),
			[false, false, false],
		);
	});

	test("the own messages come back: no conflict", () => {
		const link = new Link();
		link.start(ADDRESS, FIREFLY);
		assert.equal(link.advance(60_000).length, 5);
	});

	test("a conflict after announcing: probes again, and takes another name only if the holder answers", () => {
		const link = announced({ ...FIREFLY, services: [] });
		const other = encode({
			flags: RESPONSE,
			answers: [["firefly.local", "A", 120, addressData("10.0.0.7")]],
		});
		link.send(other, "10.0.0.7");
		const again = link.advance(10_000);
		assert.deepEqual(
			again.slice(0, 3).map(({ message }) => message.questions[0].name),
			["firefly.local", "firefly.local", "firefly.local"],
		);
		assert.deepEqual(answers(again), [A, A]);
		link.send(other, "10.0.0.7");
		link.advance(100);
		link.send(other, "10.0.0.7");
		assert.deepEqual(
			answers(link.advance(10_000)),
			[A, A].map((text) => text.replace("firefly", "firefly-2")),
		);
	});

	test("joins the network with another address: claims and announces anew", () => {
		const link = new Link();
		const announcer = link.start(ADDRESS, { ...FIREFLY, services: [] });
		link.advance(10_000);
		announcer.start(0x0a000005, 0xffffff00);
		const sent = link.advance(10_000);
		assert.deepEqual(
			sent.map(({ message }) => message.questions.length),
			[1, 1, 1, 0, 0],
		);
		assert.deepEqual(answers(sent.slice(-1)), ["A firefly.local 10.0.0.5 120!"]);
	});
});

test("the group cannot be joined: the error is the caller's, and nothing is sent or left open", () => {
	const link = new Link();
	const { timer, time } = link.clock;
	let open = 0;
	class Groupless extends link.udp(ADDRESS) {
		constructor(options: UDPOptions) {
			super(options);
			open++;
		}

		override add(): void {
			throw new Error("no memory");
		}

		override close(): void {
			super.close();
			open--;
		}
	}
	const announcer = new Announcer({ timer, time, udp: { io: Groupless } }, FIREFLY);
	assert.throws(() => announcer.start(0x0a000001, 0xffffff00), /no memory/);
	assert.equal(open, 0);
	link.send(encode({ questions: [["firefly.local", "A"]] }), QUERIER, 5353, ADDRESS);
	assert.deepEqual(link.advance(10_000), []);
});

suite("answering", () => {
	test("the host's address is asked for: sent to all at once", () => {
		const link = announced();
		const sent = ask(link, { questions: [["FireFly.LOCAL", "A"]] });
		assert.deepEqual(answers(sent), [A]);
		assert.deepEqual([sent[0].to, sent[0].port, sent[0].message.questions.length], [GROUP, 5353, 0]);
		assert.equal(sent[0].at, 60_001);
	});

	test("the services are browsed: after 20 to 120 ms the pointer, and what is asked for next", () => {
		for (let run = 0; run < 20; run++) {
			const link = announced();
			const sent = ask(link, { questions: [["_mqtt._tcp.local", "PTR"]] });
			assert.deepEqual(answers(sent), [PTR]);
			assert.deepEqual(additional(sent), [A, SRV, TXT]);
			const delay = sent[0].at - 60_001;
			assert.ok(delay >= 20 && delay <= 121, `after ${delay} ms`);
		}
	});

	test("all types of services are asked for: one pointer each", () => {
		assert.deepEqual(
			answers(ask(announced(), { questions: [["_services._dns-sd._udp.local", "PTR"]] })),
			["_mqtt", "_http"].map((type) => `PTR _services._dns-sd._udp.local ${type}._tcp.local 4500`),
		);
	});

	test("a service is asked for: its port, and the address of the host", () => {
		const link = announced();
		const sent = ask(link, { questions: [[MQTT, "SRV"]] });
		assert.deepEqual([answers(sent), additional(sent)], [[SRV], [A]]);
		assert.deepEqual(answers(ask(link, { questions: [[MQTT, "TXT"]] })), [TXT]);
	});

	test("an IPv6 address is asked for: the list of the types that there are", () => {
		const [sent] = ask(announced(), { questions: [["firefly.local", "AAAA"]] });
		const [{ name, type, data, ttl }] = sent.message.answers;
		assert.deepEqual([name, type, ttl], ["firefly.local", "NSEC", 120]);
		assert.ok(data.endsWith("000140"), "of window 0 one byte: A only");
	});

	test("names of others: no answer", () => {
		const link = announced();
		for (const name of [
			"firefly",
			"firefly.local.lan",
			"firefly2.local",
			"local",
			"a.firefly.local",
			"",
			"_mqtt._udp.local",
		])
			assert.deepEqual(ask(link, { questions: [[name, "ANY"]] }), [], name);
	});

	test("the querier knows the answer: none; one whose half of life is over is sent again", () => {
		const known = (ttl: number): Parts => ({
			questions: [["_mqtt._tcp.local", "PTR"]],
			answers: [["_mqtt._tcp.local", "PTR", ttl, wireName(MQTT)]],
		});
		assert.deepEqual(ask(announced(), known(2250)), []);
		assert.deepEqual(answers(ask(announced(), known(2249))), [PTR]);
		const other: Parts = {
			...known(4500),
			answers: [["_mqtt._tcp.local", "PTR", 4500, wireName("cellar._mqtt._tcp.local")]],
		};
		assert.deepEqual(answers(ask(announced(), other)), [PTR]);
	});

	test("more known answers follow: they are waited for, and count", () => {
		const question: Parts = { flags: 0x0200, questions: [["_mqtt._tcp.local", "PTR"]] };
		const link = announced();
		assert.deepEqual(ask(link, question, 350), []);
		assert.deepEqual(answers(link.advance(200)), [PTR]);
		const other = announced();
		ask(other, question, 50);
		const known: Parts = { answers: [["_mqtt._tcp.local", "PTR", 4500, wireName(MQTT)]] };
		assert.deepEqual(ask(other, known, 1000), []);
		const third = announced();
		ask(third, question, 50);
		third.send(encode(known), "10.0.0.50");
		assert.deepEqual(answers(third.advance(1000)), [PTR], "what another querier knows does not count");
	});

	test("an answer by unicast is welcome: sent to all if that was long ago, else to the querier alone", () => {
		const question: Parts = { questions: [["firefly.local", "A", true]] };
		const link = announced();
		assert.deepEqual(
			ask(link, question).map(({ to, port }) => [to, port]),
			[[GROUP, 5353]],
		);
		const [sent] = ask(link, question);
		assert.deepEqual([sent.to, sent.port, sent.message.id], [QUERIER, 5353, 0]);
		assert.deepEqual(answers([sent]), [A]);
		link.advance(30_000);
		assert.equal(ask(link, question)[0].to, GROUP);
	});

	test("a plain resolver asks: its question and identifier, 10 s of life, no flags and names in full", () => {
		const link = announced();
		const [sent, ...more] = ask(
			link,
			{ id: 4711, flags: 0x0100, questions: [["firefly.local", "A"]] },
			200,
			40_000,
		);
		assert.equal(more.length, 0);
		assert.deepEqual(
			[sent.to, sent.port, sent.message.id, sent.message.flags],
			[QUERIER, 40_000, 4711, RESPONSE],
		);
		assert.deepEqual(sent.message.questions, [{ name: "firefly.local", type: "A", unicast: false }]);
		assert.deepEqual(answers([sent]), ["A firefly.local 10.0.0.1 10"]);
		const [service] = ask(link, { id: 1, questions: [[MQTT, "SRV", true]] }, 200, 40_000);
		assert.deepEqual(answers([service]), [`SRV ${MQTT} 1883 firefly.local 10`]);
		assert.ok(
			Buffer.from(service.bytes).includes(Buffer.from(wireName("firefly.local"))),
			"the target is not compressed",
		);
		assert.deepEqual(ask(link, { questions: [["firefly.local", "AAAA"]] }, 200, 40_000), []);
	});

	test("the same question again and again: one answer a second", () => {
		const link = announced();
		const sent: Sent[] = [];
		for (let i = 0; i < 100; i++) sent.push(...ask(link, { questions: [["firefly.local", "A"]] }, 50));
		assert.ok(sent.length >= 4 && sent.length <= 6, `${sent.length} answers in 5 s`);
		for (let i = 1; i < sent.length; i++) assert.ok(sent[i].at - sent[i - 1].at >= 1000);
	});

	test("somebody probes for the name: told at once, also right after an answer", () => {
		const link = announced();
		ask(link, { questions: [["firefly.local", "A"]] }, 300);
		link.send(claim("firefly.local", "10.0.0.7"), "10.0.0.7");
		const sent = link.advance(100);
		assert.deepEqual(answers(sent), [A]);
	});

	test("a flood of questions for unicast answers: sixteen a second", () => {
		const link = announced();
		for (let i = 0; i < 1000; i++)
			link.send(encode({ id: i, questions: [["firefly.local", "A"]] }), QUERIER, 4000);
		assert.equal(link.advance(500).length, 16);
		assert.equal(ask(link, { questions: [["firefly.local", "A"]] }, 500, 4000).length, 0);
		link.advance(1000);
		assert.equal(ask(link, { questions: [["firefly.local", "A"]] }, 500, 4000).length, 1);
	});

	test("unicast answers are used up when somebody probes for the name: told by multicast", () => {
		const link = announced();
		ask(link, { questions: [["firefly.local", "A"]] });
		link.advance(1000);
		for (let i = 0; i < 100; i++)
			link.send(encode({ id: i, questions: [["firefly.local", "A"]] }), QUERIER, 4000);
		link.advance(10);
		link.send(claim("firefly.local", "10.0.0.7"), "10.0.0.7");
		const [sent] = link.advance(100);
		assert.deepEqual([sent.to, answers([sent])], [GROUP, [A]]);
	});

	test("messages from another network, from port 0, and responses from another port: ignored", () => {
		const link = announced();
		const question = encode({ questions: [["firefly.local", "A"]] });
		link.send(question, "10.0.1.1");
		link.send(question, QUERIER, 0);
		link.send(question, "fe80::1");
		link.send(
			encode({ flags: RESPONSE, answers: [["firefly.local", "A", 120, addressData("10.0.0.7")]] }),
			"10.0.0.7",
			5354,
		);
		assert.deepEqual(link.advance(5000), []);
	});

	test("messages with another operation or a result: ignored", () => {
		const link = announced();
		for (const flags of [0x2800, 0x0003])
			assert.deepEqual(ask(link, { flags, questions: [["firefly.local", "A"]] }), []);
	});

	test("another host answers with our pointer: ours is not sent", () => {
		const link = announced({ ...FIREFLY, services: FIREFLY.services.slice(0, 1) });
		const types = "_services._dns-sd._udp.local";
		link.send(encode({ questions: [[types, "PTR"]] }));
		link.send(
			encode({ flags: RESPONSE, answers: [[types, "PTR", 4500, wireName("_mqtt._tcp.local")]] }),
			"10.0.0.7",
		);
		assert.deepEqual(link.advance(1000), []);
	});

	test("another host answers with our pointer, for a shorter time: ours is sent", () => {
		const link = announced({ ...FIREFLY, services: FIREFLY.services.slice(0, 1) });
		const types = "_services._dns-sd._udp.local";
		link.send(encode({ questions: [[types, "PTR"]] }));
		link.send(
			encode({ flags: RESPONSE, answers: [[types, "PTR", 4499, wireName("_mqtt._tcp.local")]] }),
			"10.0.0.7",
		);
		assert.deepEqual(answers(link.advance(1000)), [`PTR ${types} _mqtt._tcp.local 4500`]);
	});

	test("somebody ends our record early: announced again", () => {
		const link = announced({ ...FIREFLY, services: [] });
		for (const ttl of [0, 59]) {
			link.advance(2000);
			const ended: Parts = { flags: RESPONSE, answers: [["firefly.local", "A", ttl, addressData(ADDRESS)]] };
			assert.deepEqual(answers(ask(link, ended)), [A], `${ttl} s`);
		}
		const alive: Parts = { flags: RESPONSE, answers: [["firefly.local", "A", 60, addressData(ADDRESS)]] };
		link.advance(2000);
		assert.deepEqual(ask(link, alive), []);
	});

	test("the address of the host's name is deleted for another one: no conflict", () => {
		const link = announced({ ...FIREFLY, services: [] });
		const gone: Parts = { flags: RESPONSE, answers: [["firefly.local", "A", 0, addressData("10.0.0.7")]] };
		assert.deepEqual(ask(link, gone, 5000), []);
	});

	test("the service's name is used for another port: probes for it again", () => {
		const link = announced();
		const taken: Parts = { flags: RESPONSE, answers: [[MQTT, "SRV", 120, portData(9, "other.local")]] };
		const [probe] = ask(link, taken);
		assert.equal(probe.message.questions[1].name, MQTT);
	});
});

suite("ending", () => {
	test("stop: a goodbye for all but the types of services, then silence", () => {
		const link = new Link();
		const announcer = link.start(ADDRESS, FIREFLY);
		link.advance(10_000);
		link.take();
		announcer.stop();
		assert.deepEqual(answers(link.take()), [
			A.replace("120", "0"),
			SRV.replace("120", "0"),
			TXT.replace("4500", "0"),
			PTR.replace("4500", "0"),
			"SRV greenhouse._http._tcp.local 8080 firefly.local 0!",
			"TXT greenhouse._http._tcp.local path=/ 0!",
			"PTR _http._tcp.local greenhouse._http._tcp.local 0",
		]);
		assert.deepEqual(ask(link, { questions: [["firefly.local", "A"]] }, 10_000), []);
		assert.equal(link.clock.scheduledTimers, 0);
	});

	test("stop before the names are claimed: no goodbye", () => {
		const link = new Link();
		const announcer = link.start(ADDRESS, FIREFLY);
		link.advance(300);
		announcer.stop();
		assert.deepEqual(link.advance(10_000), []);
	});

	test("the longest names: every message in 512 bytes, and none lacks a record", () => {
		const label = "x".repeat(80);
		const services = ["_mqtt._tcp", "_secure-mqtt._tcp", "_http._tcp"].map((type, i) => ({
			type,
			port: i + 1,
		}));
		const link = new Link();
		link.start(ADDRESS, { host: label, instance: "ö".repeat(80), services });
		const sent = link.advance(10_000);
		for (const { bytes } of sent) assert.ok(bytes.length <= 512);
		for (const { message } of sent.slice(0, 3))
			assert.deepEqual([message.questions.length, message.authority.length], [4, 7]);
		assert.equal(answers(sent).length, 2 * 13);
		assert.ok(decode(sent[0].bytes).questions[1].name.startsWith(`${"ö".repeat(28)}._mqtt`));
	});
});

function claim(name: string, address: string): Uint8Array {
	return encode({
		questions: [[name, "ANY", true]],
		authority: [[name, "A", 120, addressData(address)]],
	});
}
