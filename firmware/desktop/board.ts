import { RETAINED_BYTES } from "../../src/retained-memory";
import { fnv1aOfText } from "../../src/text/fnv1a";

/** Keeps the retained memory mapped. */
type BoardHandle = object;

function openBoard(this: void, prefix: string, size: number): BoardHandle {
	return native("xs_firefly_open_board").call(this, prefix, size) as BoardHandle;
}

function boardMemory(this: void, board: BoardHandle): ArrayBuffer {
	return native("xs_firefly_board_memory").call(this, board) as ArrayBuffer;
}

function boardNumber(this: void): number {
	return native("xs_firefly_board_number").call(this) as number;
}

function stateFolder(this: void): string {
	return native("xs_firefly_state_folder").call(this) as string;
}

function hostName(this: void): string {
	return native("xs_firefly_host_name").call(this) as string;
}

function projectName(this: void): string {
	return native("xs_firefly_project").call(this) as string;
}

/**
 * The emulated board: what belongs to one ESP32 on a desk. Its folder is that of the project and role;
 * several simulators at a time have one each.
 */
export class Board {
	/** Ends with a separator. */
	readonly folder: string;
	/** 12 lower-case hexadecimal digits, another one for each computer and folder; locally administered. */
	readonly mac: string;
	/** Memory that survives sleep, reset and crash: a file, so that a write is retained at once. */
	readonly retained: Uint8Array;
	/** Unmaps the memory when it is collected. */
	readonly handle: BoardHandle;

	/** @throws if its folder cannot be written */
	constructor(role: string) {
		const prefix = `${stateFolder()}${projectName()}-${role}`;
		this.handle = openBoard(prefix, RETAINED_BYTES);
		this.retained = new Uint8Array(boardMemory(this.handle));
		this.folder = `${prefix}-${boardNumber()}/`;
		const hash = fnv1aOfText(`${hostName()}:${this.folder}`);
		this.mac = `0200${hash.toString(16).padStart(8, "0")}`;
	}

	/** Power comes on: retained memory holds noise. */
	losePower(): void {
		const { retained } = this;
		for (let i = 0; i < retained.length; i++) retained[i] = Math.random() * 256;
	}
}
