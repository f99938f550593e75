import { createHash } from "node:crypto";
import { imageVersion, makeImage } from "../../../sim/board/esp-image";
import { Flash } from "../../../sim/board/flash";
import { ImageFlash } from "../../../sim/board/image-flash";
import type { UpdatePhase } from "../../../src/device-events";
import { NodeUpdate } from "../../../src/sensor/update/node-update";
import type { NetworkPeer } from "../../support/network-peer";
import type { VirtualNetwork } from "../../support/virtual-network";
import { commandBoard } from "../commands/support";
import type { SessionBroker, SessionBrokerOptions } from "../support/session-broker";
import type { TestBoard } from "../support/test-board";

/** Port of {@link ImageServer}. */
export const PORT = 8070;

/** What a new image does: reports, cannot reach the broker, or crashes at its start. */
export type Program = "works" | "mute" | "crashes";

/** An image of a program, for the chip of the board. */
export function image(program: Program = "works", size = 5000): Uint8Array {
	return makeImage(program, size);
}

export function digest(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}

/** An HTTP server on the virtual network. */
export class ImageServer {
	/** What it answers after the status line. */
	body: Uint8Array = image();
	head = (): string => `HTTP/1.1 200 OK\r\nContent-Length: ${this.body.length}\r\n\r\n`;
	/** Bytes of the body, after which it does what `afterwards` says. */
	sends = Infinity;
	afterwards: "closes" | "is silent" = "closes";
	readonly requests: string[] = [];

	constructor(network: VirtualNetwork) {
		network.serve(PORT, (peer) => this.#accept(peer));
	}

	#accept(peer: NetworkPeer): void {
		let request = "";
		peer.onData = (bytes) => {
			request += Buffer.from(bytes).toString("latin1");
			if (!request.endsWith("\r\n\r\n")) return;
			this.requests.push(request);
			peer.write(Buffer.from(this.head(), "latin1"));
			if (this.body.length > 0) peer.write(this.body.slice(0, this.sends));
			if (this.sends >= this.body.length || this.afterwards === "closes") peer.end();
		};
	}
}

export interface UpdateBoard {
	readonly board: TestBoard;
	readonly broker: SessionBroker;
	readonly server: ImageServer;
	readonly flash: ImageFlash;
	/** Sends the command, and lets an hour pass. */
	update(bytes?: Uint8Array, members?: object): void;
	/** The phases of updates, in their order. */
	phases(): UpdatePhase[];
	/** What the node has answered about updates, without the name. */
	answers(): object[];
}

/** A node that takes commands and images, its broker, and a server with an image. */
export function updateBoard(firefly: object = {}, options: SessionBrokerOptions = {}): UpdateBoard {
	const { board, broker } = commandBoard({ update: {}, ...firefly }, { announces: true, ...options });
	const flash = new ImageFlash(64 * 1024);
	board.imageFlash = flash;
	board.Update = NodeUpdate;
	board.chip = "esp32";
	board.storage = new Flash();
	const mute = { ...board.settings, broker: { ...board.settings.broker, port: 1 } };
	board.settingsOf = (bytes) => {
		const program = bytes === undefined ? "works" : (imageVersion(bytes) as Program);
		return program === "mute" ? mute : program === "crashes" ? program : board.settings;
	};
	const server = new ImageServer(board.network);
	return {
		board,
		broker,
		server,
		flash,
		update(bytes = server.body, members = {}) {
			server.body = bytes;
			broker.send({
				command: "update",
				id: 1,
				url: `http://10.0.0.1:${PORT}/firefly.bin`,
				sha256: digest(bytes),
				...members,
			});
			board.run(3_600_000);
		},
		phases: () => board.events("update").map(({ details: [phase] }) => phase),
		answers: () =>
			broker.answers
				.map(({ payload }) => payload)
				.filter(({ command }) => command === "update")
				.map(({ command: _, ...rest }) => rest),
	};
}
