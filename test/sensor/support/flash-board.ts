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
	/** The chip is reset before this write or deletion, counted from 1. */
	resetAt = Infinity;
	/** The power fails before this one. */
	cutAtChange = Infinity;
	/** Whether a read of a key fails. */
	isUnreadable: (key: string) => boolean = () => false;
	/** Whether every write fails, and changes nothing. */
	isFull = false;
	/** Whether every deletion fails, and changes nothing. */
	isWorn = false;

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
			if (this.board.retained.isReset) throw new PowerCut();
			this.starts.push(this.storage.writtenBytes);
			if (this.starts.length === this.resetAt) {
				this.#end(() => this.board.crash());
				throw new PowerCut();
			}
			if (this.starts.length === this.cutAtChange) {
				this.storage.cutPower();
				this.#losePower();
				throw new PowerCut();
			}
			try {
				code();
			} catch (error) {
				if (!(error instanceof PowerCut)) throw error;
				this.#losePower();
				throw error;
			}
		};
		return {
			read: (key, buffer) => {
				if (this.isUnreadable(key)) throw new Error("ESP_ERR_FLASH_OP_FAIL");
				return storage.read(key, buffer);
			},
			write: (key, value) => {
				if (this.isFull) throw new Error("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
				change(() => storage.write(key, value));
			},
			delete: (key) => {
				if (this.isWorn) throw new Error("ESP_ERR_FLASH_OP_FAIL");
				// What is not there is no change
				if (this.storage.values.has(key)) change(() => storage.delete(key));
			},
			close: () => storage.close(),
		};
	}

	#losePower(): void {
		const { board } = this;
		if (board.retained.isReset) return;
		this.#end(() => board.losePower());
		this.storage = new PowerCutStorage(this.storage.values);
	}

	/** What the program still does in this turn is not seen by anyone. */
	#end(stop: () => void): void {
		const { board } = this;
		this.cuts++;
		stop();
		board.retained.isReset = true;
		const count = board.eventLog.length;
		const { push } = board.eventLog;
		board.eventLog.push = (...events) => {
			if (board.retained.isReset) return board.eventLog.length;
			board.eventLog.push = push;
			board.eventLog.length = count;
			return board.eventLog.push(...events);
		};
	}
}
