import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CaptureFile, skipWithoutTshark } from "../support/tshark";
import { encode } from "./dns-message";
import { Link, type Sent } from "./link";

/** A file of packets without link layer (LINKTYPE_RAW), as pcap has it. */
function pcapOf(datagrams: readonly Sent[]): Uint8Array {
	const header = Buffer.alloc(24);
	header.writeUInt32LE(0xa1b2c3d4, 0);
	header.writeUInt16LE(2, 4);
	header.writeUInt16LE(4, 6);
	header.writeUInt32LE(65_535, 16);
	header.writeUInt32LE(101, 20);
	return Buffer.concat([header, ...datagrams.map(packetOf)]);
}

function packetOf({ at, from, to, port, bytes }: Sent): Uint8Array {
	const size = 28 + bytes.length;
	const packet = Buffer.alloc(16 + size);
	packet.writeUInt32LE(Math.floor(at / 1000), 0);
	packet.writeUInt32LE((at % 1000) * 1000, 4);
	packet.writeUInt32LE(size, 8);
	packet.writeUInt32LE(size, 12);
	const ip = packet.subarray(16);
	ip[0] = 0x45;
	ip.writeUInt16BE(size, 2);
	ip[8] = 255;
	ip[9] = 17;
	for (const [i, part] of [...from.split("."), ...to.split(".")].entries()) ip[12 + i] = Number(part);
	let sum = 0;
	for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
	ip.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 10);
	ip.writeUInt16BE(5353, 20);
	ip.writeUInt16BE(port, 22);
	ip.writeUInt16BE(8 + bytes.length, 24);
	ip.set(bytes, 28);
	return packet;
}

test("tshark finds nothing wrong with probes, announcements, answers and goodbye, and reads what they say", {
	skip: skipWithoutTshark,
}, (t) => {
	const link = new Link();
	const announcer = link.start("10.0.0.1", {
		host: "firefly",
		instance: "greenhouse",
		services: [
			{ type: "_mqtt._tcp", port: 1883 },
			{ type: "_http._tcp", port: 8080, text: "path=/" },
		],
	});
	link.clock.advance(10_000);
	link.send(encode({ questions: [["_mqtt._tcp.local", "PTR"]] }));
	link.clock.advance(5000);
	link.send(encode({ questions: [["firefly.local", "AAAA"]] }));
	link.clock.advance(5000);
	link.send(encode({ id: 7, questions: [["firefly.local", "A"]] }), "10.0.0.9", 40_000);
	link.clock.advance(5000);
	announcer.stop();
	const folder = mkdtempSync(join(tmpdir(), "firefly-mdns-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const path = join(folder, "mdns.pcap");
	writeFileSync(path, pcapOf(link.sent));
	const capture = new CaptureFile(path);
	// It warns of repetitions, which Multicast DNS wants.
	assert.deepEqual(capture.frames("_ws.malformed || _ws.expert.severity >= 0x800000"), []);
	assert.equal(capture.frames("mdns").length, 9);
	const [announcement] = capture.fields(
		"mdns && dns.flags.response == 1 && dns.count.answers == 9",
		"dns.a",
		"dns.srv.port",
		"dns.ptr.domain_name",
		"dns.txt",
	);
	assert.deepEqual(announcement, [
		"10.0.0.1",
		"1883,8080",
		"greenhouse._mqtt._tcp.local,_mqtt._tcp.local,greenhouse._http._tcp.local,_http._tcp.local",
		",path=/",
	]);
	assert.equal(capture.frames("mdns && dns.count.auth_rr == 5").length, 3);
	assert.equal(capture.frames('mdns && dns.nsec.next_domain_name == "firefly.local"').length, 1);
});
