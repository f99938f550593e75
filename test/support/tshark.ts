import { execFileSync, spawnSync } from "node:child_process";
import type { TracedPacket } from "../../sim/capture/traced-packet";

const tsharkInstalled: boolean = spawnSync("tshark", ["--version"]).error === undefined;

/** Reason to skip a test that needs tshark; CI installs it. */
export const skipWithoutTshark =
	tsharkInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "tshark is not installed";

/** What tshark objects to in a TCP connection that lost nothing. */
const PROBLEMS = [
	"_ws.malformed",
	// Warnings and errors, but that a window is full, which is true
	"(_ws.expert.severity >= 0x600000 && !tcp.analysis.window_full && !tcp.analysis.zero_window)",
	"ip.checksum.status == 0",
	"tcp.checksum.status == 0",
	"tcp.analysis.retransmission",
	"tcp.analysis.out_of_order",
	"tcp.analysis.lost_segment",
	"tcp.analysis.ack_lost_segment",
	"tcp.analysis.duplicate_ack",
	"tcp.analysis.reused_ports",
].join(" || ");

/** A capture file as tshark understands it. */
export class CaptureFile {
	readonly #path: string;
	readonly #options: readonly string[];

	/** @param mqttPorts TCP ports of MQTT besides 1883 @param httpPorts those of HTTP and WebSocket */
	constructor(path: string, mqttPorts: readonly number[] = [], httpPorts: readonly number[] = []) {
		this.#path = path;
		this.#options = [
			...["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
			...mqttPorts.flatMap((port) => ["-d", `tcp.port==${port},mqtt`]),
			...httpPorts.flatMap((port) => ["-d", `tcp.port==${port},http`]),
		];
	}

	/** Summaries of the frames that match a display filter. */
	frames(filter: string): string[] {
		return this.#run(["-Y", filter]).split("\n").slice(0, -1);
	}

	/** Summaries of the frames that are not right. */
	get problems(): string[] {
		return this.frames(PROBLEMS);
	}

	/** Values of fields, a row for each frame that matches a display filter. */
	fields(filter: string, ...names: readonly string[]): string[][] {
		return this.#run(["-Y", filter, "-T", "fields", ...names.flatMap((name) => ["-e", name])])
			.split("\n")
			.slice(0, -1)
			.map((line) => line.split("\t"));
	}

	/** The MQTT packets, in the notation of {@link comparable}. */
	get packets(): string[] {
		const json = this.#run(["-Y", "mqtt", "-T", "json", "--no-duplicate-keys", "-J", "tcp mqtt"]);
		const frames = JSON.parse(json) as { readonly _source: { readonly layers: Layers } }[];
		return frames.flatMap(({ _source: { layers } }) =>
			[layers.mqtt].flat().map((packet) => packetOf(flatten(packet))),
		);
	}

	#run(args: readonly string[]): string {
		return execFileSync("tshark", ["-r", this.#path, ...this.#options, ...args], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
			maxBuffer: 1 << 28,
		});
	}
}

interface Layers {
	readonly mqtt: Tree | readonly Tree[];
}

interface Tree {
	readonly [field: string]: string | Tree | readonly (string | Tree)[];
}

type Fields = Record<string, string>;

/** Fields of a tree, without the order of equal ones. */
function flatten(tree: Tree, fields: Fields = {}): Fields {
	for (const [name, value] of Object.entries(tree))
		for (const item of [value].flat())
			if (typeof item === "string") fields[name] = name in fields ? `${fields[name]},${item}` : item;
			else flatten(item, fields);
	return fields;
}

function packetOf(fields: Fields): string {
	const length = Number(fields["mqtt.len"]);
	const size = length + (length < 128 ? 2 : length < 16_384 ? 3 : length < 2_097_152 ? 4 : 5);
	return notation(Number(fields["mqtt.msgtype"]), size, {
		id: fields["mqtt.msgid"],
		client: fields["mqtt.clientid"],
		user: fields["mqtt.username"],
		topic: fields["mqtt.topic"],
		qos: fields["mqtt.msgtype"] === "3" ? fields["mqtt.qos"] : undefined,
		retain: fields["mqtt.retain"],
		dup: fields["mqtt.dupflag"],
		payload: fields["mqtt.msg"]?.replaceAll(":", ""),
		session: fields["mqtt.conack.flags.sp"],
	});
}

const TYPES: readonly string[] = [
	...["", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"],
	...["SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"],
];

/** A traced packet in the notation of {@link CaptureFile.packets}; payloads must be short. */
export function comparable(packet: TracedPacket): string {
	const { connect, message, filters, sessionPresent } = packet;
	const flag = (value: boolean | undefined): string | undefined =>
		value === undefined ? undefined : String(Number(value));
	return notation(TYPES.indexOf(packet.packet), packet.size, {
		id: packet.packetId?.toString(),
		client: connect?.clientId,
		user: connect?.username,
		topic: filters?.map(({ filter }) => filter).join(",") ?? message?.topic,
		qos: message?.qos.toString(),
		retain: flag(message?.retain),
		dup: flag(packet.dup),
		payload: message && (message.payloadHex?.slice(2) ?? Buffer.from(message.payload ?? "").toString("hex")),
		session: flag(sessionPresent),
	});
}

function notation(type: number, size: number, fields: Readonly<Record<string, string | undefined>>): string {
	const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
	return [TYPES[type], size, ...present.map(([name, value]) => `${name}=${value}`)].join(" ");
}
