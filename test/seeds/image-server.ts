import { createHash } from "node:crypto";
import { imageVersion, makeImage } from "../../sim/board/esp-image";
import type { ImageFlash } from "../../sim/board/image-flash";
import type { HostNetwork } from "../../sim/network/socket";
import type { VirtualSocket } from "../../sim/network/virtual-socket";
import { IMAGE_PORT, type ImagePlan } from "./command-plan";

/** Bytes of a request, at most. */
const REQUEST_LIMIT = 1024;

/** The bytes of an image; each has a version of its own, by which its content differs. */
export function imageOf({ path, size }: ImagePlan): Uint8Array<ArrayBuffer> {
	return makeImage(path, size);
}

/** What a board runs. */
export interface TakenImage {
	/** Absent: what was flashed by cable. */
	readonly sha256?: string;
	/** The bootloader would return from it at a reset. */
	readonly isOnTrial: boolean;
}

/** @param images those that the board may have fetched */
export function takenImage(
	{ runningImage, isOnTrial }: ImageFlash,
	images: readonly ImagePlan[],
): TakenImage {
	if (runningImage === undefined) return { isOnTrial };
	const path = imageVersion(runningImage);
	const { length } = imageOf(images.find((image) => image.path === path)!);
	return { sha256: digestOf(runningImage.subarray(0, length)), isOnTrial };
}

/** SHA-256 in hexadecimal digits. */
export function digestOf(image: Uint8Array): string {
	return createHash("sha256").update(image).digest("hex");
}

/** An HTTP server with images on the virtual network. */
export class ImageServer {
	readonly #images: ReadonlyMap<string, ImagePlan>;
	/** By path. */
	readonly #requests = new Map<string, number>();

	constructor(host: HostNetwork, images: readonly ImagePlan[]) {
		this.#images = new Map(images.map((image) => [image.path, image]));
		const listener = host.listen(IMAGE_PORT, () => {
			const socket = listener.accept() as VirtualSocket | undefined;
			if (socket !== undefined) this.#serve(socket);
		});
	}

	#serve(socket: VirtualSocket): void {
		let request = "";
		let answer: Answer | undefined;
		let sent = 0;
		let room = 0;
		const send = (): void => {
			if (answer === undefined || room === 0) return;
			const part = answer.bytes.subarray(sent, sent + room);
			room -= part.length;
			sent += part.length;
			if (part.length > 0) socket.write(new Uint8Array(part));
			if (sent === answer.bytes.length && answer.closes) socket.close();
		};
		socket.handler = {
			readable: (count) => {
				const bytes = new Uint8Array(count);
				const length = socket.read(bytes) ?? 0;
				request += Buffer.from(bytes.subarray(0, length)).toString("latin1");
				if (request.length > REQUEST_LIMIT) socket.close();
				if (answer !== undefined || !request.endsWith("\r\n\r\n")) return;
				answer = this.#answer(/^GET (\S+) HTTP/.exec(request)?.[1] ?? "");
				send();
			},
			writable: (bytes) => {
				room = bytes;
				send();
			},
			failed: () => socket.close(),
		};
	}

	#answer(path: string): Answer {
		const image = this.#images.get(path);
		if (image === undefined) return refusal("404 Not Found");
		const count = (this.#requests.get(path) ?? 0) + 1;
		this.#requests.set(path, count);
		const bytes = imageOf(image);
		const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
		const part = Buffer.concat([head, bytes.subarray(0, bytes.length >> 1)]);
		switch (count > image.badRequests ? "good" : image.answer) {
			case "good":
				return { bytes: Buffer.concat([head, bytes]), closes: true };
			case "missing":
				return refusal("404 Not Found");
			case "busy":
				return refusal("503 Service Unavailable");
			case "cut":
				return { bytes: part, closes: true };
			case "stalled":
				return { bytes: part, closes: false };
		}
	}
}

interface Answer {
	readonly bytes: Uint8Array;
	/** The server closes the connection behind it. */
	readonly closes: boolean;
}

function refusal(status: string): Answer {
	return { bytes: Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`), closes: true };
}
