import type { Storage } from "../../../src/device";
import { PowerCut, PowerCutStorage, type TornWrite } from "../../broker/support/power-cut-storage";
import { type Overrides, TestBoard } from "./test-board";

/** A board whose outbox is in flash too, and whose power fails at a byte of a write to it. */
export class FlashBoard {
	readonly board: TestBoard;
	storage = new PowerCutStorage();
	/** Cuts of the power so far. */
	cuts = 0;
	/** Bytes written before each write or deletion. */
	readonly starts: number[] = [];

	constructor(overrides: Overrides = {}) {
		this.board = new TestBoard({
			...overrides,
			outbox: { storage: "flash", policy: "dropOldest", size: 4096, ...overrides.outbox },
		});
		this.board.storage = { open: () => this.#open() };
	}

	/** The power fails once so many bytes were written, and comes back at once. */
	cutAt(byte: number, tornWrite: TornWrite): void {
		this.storage.cutAtByte = byte;
		this.storage.tornWrite = tornWrite;
	}

	#open(): Storage {
		const storage = this.storage.open();
		const change = (code: () => void): void => {
			this.starts.push(this.storage.writtenBytes);
			try {
				code();
			} catch (error) {
				if (!(error instanceof PowerCut)) throw error;
				this.#losePower();
				throw error;
			}
		};
		return {
			read: (key, buffer) => storage.read(key, buffer),
			write: (key, value) => change(() => storage.write(key, value)),
			delete: (key) => change(() => storage.delete(key)),
			close: () => storage.close(),
		};
	}

	/** What the program still does in this turn is not seen by anyone. */
	#losePower(): void {
		const { board } = this;
		if (board.retained.isReset) return;
		this.cuts++;
		board.losePower();
		board.retained.isReset = true;
		const count = board.eventLog.length;
		this.storage = new PowerCutStorage(this.storage.values);
		const { push } = board.eventLog;
		board.eventLog.push = (...events) => {
			if (board.retained.isReset) return board.eventLog.length;
			board.eventLog.push = push;
			board.eventLog.length = count;
			return board.eventLog.push(...events);
		};
	}
}
