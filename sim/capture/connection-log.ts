import { SUCCESS } from "../../src/mqtt/constants";
import { ConnectionTrace } from "./connection-trace";
import { escapeText, quoted, reasonText } from "./packet-text";
import { type ConnectionTap, FIN, RST, type SegmentTap } from "./tap";
import type { Sender, TracedConnect, TracedPacket } from "./traced-packet";

/** What the log knows of a connection. */
interface LoggedConnection {
	/** Address and port of the peer. */
	readonly peer: string;
	connect: TracedConnect | undefined;
	/** The identifier that the broker assigned, else that of CONNECT. */
	clientId: string | undefined;
	/** Whether CONNACK let the client in. */
	accepted: boolean;
	/** Whether a line has said how it ended. */
	ended: boolean;
}

/**
 * Says who connects to a broker, who leaves it and who is refused, and why, from what passes on their
 * connections.
 * @param peer address and port of the client
 * @param write receives each line
 */
export function connectionLog(peer: string, write: (line: string) => void): ConnectionTap {
	const state: LoggedConnection = {
		peer,
		connect: undefined,
		clientId: undefined,
		accepted: false,
		ended: false,
	};
	const trace = new ConnectionTrace((packet) => {
		const line = packetLine(state, packet);
		if (line !== undefined) write(line);
	});
	const end = (tap: SegmentTap, sender: Sender): SegmentTap => ({
		segment(flags, ...rest) {
			tap.segment(flags, ...rest);
			if ((flags & (FIN | RST)) === 0 || state.ended) return;
			state.ended = true;
			// A connection without CONNECT, such as that of a browser, has said what there is to say.
			if (state.connect === undefined) return;
			const what = !state.accepted ? "refused" : sender === "client" ? "lost" : "closed";
			write(`${what} ${named(state)}: ${endText(sender, flags)}`);
		},
	});
	return { client: end(trace.client, "client"), server: end(trace.server, "broker") };
}

function endText(sender: Sender, flags: number): string {
	const how = flags & RST ? "reset the connection" : "closed the connection";
	return sender === "client" ? `the client ${how} without DISCONNECT` : `the broker ${how}`;
}

/** The line that a packet is worth. */
function packetLine(state: LoggedConnection, packet: TracedPacket): string | undefined {
	const { sender, packet: type, reasonCode = SUCCESS } = packet;
	if (type === "CONNECT") {
		state.connect = packet.connect;
		state.clientId = packet.connect?.clientId;
		return undefined;
	}
	if (type === "CONNACK") {
		const assigned = packet.properties?.assignedClientIdentifier;
		if (typeof assigned === "string") state.clientId = assigned;
		state.accepted = reasonCode === SUCCESS;
		if (state.accepted) return `connected ${named(state)}${packet.sessionPresent ? ", session resumed" : ""}`;
		return ended(state, "refused", reasonText(reasonCode));
	}
	if (type === "DISCONNECT") {
		if (state.ended) return undefined;
		const reason = reasonCode === SUCCESS ? "" : reasonText(reasonCode);
		return ended(state, sender === "client" ? "left" : "closed", reason);
	}
	if (type === "malformed" && sender === "client")
		return `malformed packet of ${named(state)}: ${packet.text ?? ""}`;
	if (type === "HTTP" && sender === "broker" && !packet.text?.startsWith("101"))
		return `page for ${state.peer}: ${escapeText(packet.text ?? "")}`;
	return undefined;
}

function ended(state: LoggedConnection, what: string, reason: string): string {
	state.ended = true;
	return `${what} ${named(state)}${reason === "" ? "" : `: ${reason}`}`;
}

function named({ peer, connect, clientId }: LoggedConnection): string {
	if (connect === undefined) return peer;
	const user = connect.username === undefined ? "" : `, user ${quoted(connect.username)}`;
	return `${quoted(clientId ?? "")} from ${peer}${user}, MQTT ${connect.version}`;
}
