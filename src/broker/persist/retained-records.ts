import type { Core } from "../core/core";
import { CHANGED, STORED } from "../pool/dirty-flags";
import type { MessageRecords } from "./message-records";
import { type TransactionalStore, VALUE_KIND } from "./transactional-store";

/** Stores the values for new subscribers: the retained ones, or every topic's current one. */
export class RetainedRecords {
	readonly #core: Core;
	readonly #recordStore: TransactionalStore;
	readonly #messages: MessageRecords;

	constructor(core: Core, recordStore: TransactionalStore, messages: MessageRecords) {
		this.#core = core;
		this.#recordStore = recordStore;
		this.#messages = messages;
	}

	/** @returns how many values could not be restored */
	restore(): number {
		const { store } = this.#core;
		const recordStore = this.#recordStore;
		const messages = this.#messages;
		const dirtyFlags = recordStore.dirtyFlags[VALUE_KIND];
		const { states } = dirtyFlags;
		let found = 0;
		for (let i = 1; i < states.length; i++) {
			if (!recordStore.readRecord(VALUE_KIND, i)) continue;
			found++;
			messages.readMessage();
			store.restore(messages.message);
			dirtyFlags.renumber(i, store.lastRecord);
		}
		// includes values that later ones evicted
		for (let i = 1; i < states.length; i++)
			if ((states[i] & STORED) !== 0 && (i > store.records || !store.has(i))) dirtyFlags.mark(i);
		store.dirtyFlags = dirtyFlags;
		return found - store.count;
	}

	save(): void {
		const { store, settings } = this.#core;
		const recordStore = this.#recordStore;
		const dirtyFlags = recordStore.dirtyFlags[VALUE_KIND];
		if (!dirtyFlags.changed) return;
		const every = settings.lastValue === "every";
		const { states } = dirtyFlags;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			if (
				i <= store.records &&
				store.has(i) &&
				(every || store.messages.isRetained(i)) &&
				this.#messages.fits(store.messages, i)
			) {
				recordStore.codec.startWriting();
				this.#messages.writeMessage(store.messages, i);
				recordStore.put(VALUE_KIND, i);
			} else recordStore.drop(VALUE_KIND, i);
		}
	}

	/**
	 * Corrects times after `missedMs` without power: restored values arrived that much earlier, and values that
	 * arrived since then must be stored again with the right time.
	 */
	backdate(missedMs: number): void {
		const { store } = this.#core;
		const dirtyFlags = this.#recordStore.dirtyFlags[VALUE_KIND];
		for (let i = 1; i <= store.records; i++) {
			if (!store.has(i)) continue;
			if (dirtyFlags.isRestored(i)) store.messages.backdate(i, missedMs);
			else dirtyFlags.mark(i);
		}
	}
}
