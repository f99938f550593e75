import type { Core } from "../core";
import type { KeptMessages } from "./kept-messages";
import { CHANGED, STORED } from "./ledger";
import { VALUE, type Vault } from "./vault";

/** Stores what new subscribers are handed: the retained values, or every topic's current one. */
export class KeptValues {
	readonly #core: Core;
	readonly #vault: Vault;
	readonly #messages: KeptMessages;

	constructor(core: Core, vault: Vault, messages: KeptMessages) {
		this.#core = core;
		this.#vault = vault;
		this.#messages = messages;
	}

	/** @returns how many values found no room */
	restore(): number {
		const { store } = this.#core;
		const vault = this.#vault;
		const messages = this.#messages;
		const ledger = vault.ledgers[VALUE];
		const { states } = ledger;
		let found = 0;
		for (let i = 1; i < states.length; i++) {
			if (!vault.read(VALUE, i)) continue;
			found++;
			messages.read();
			store.restore(messages.message);
			ledger.move(i, store.last);
		}
		// also those that gave way to later ones
		for (let i = 1; i < states.length; i++) if ((states[i] & STORED) !== 0 && (i > store.records || !store.holds(i))) ledger.mark(i);
		store.ledger = ledger;
		return found - store.count;
	}

	save(): void {
		const { store, settings } = this.#core;
		const vault = this.#vault;
		const ledger = vault.ledgers[VALUE];
		if (!ledger.changed) return;
		const every = settings.lastValue === "every";
		const { states } = ledger;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			if (i <= store.records && store.holds(i) && (every || store.messages.retained(i)) && this.#messages.fits(store.messages, i)) {
				vault.body.begin();
				this.#messages.write(store.messages, i);
				vault.put(VALUE, i);
			} else vault.drop(VALUE, i);
		}
	}

	/** So much time has passed without power: restored values came longer ago than was thought, and new ones have to be stored with the right time. */
	age(missed: number): void {
		const { store } = this.#core;
		const ledger = this.#vault.ledgers[VALUE];
		for (let i = 1; i <= store.records; i++) {
			if (!store.holds(i)) continue;
			if (ledger.restored(i)) store.messages.age(i, missed);
			else ledger.mark(i);
		}
	}
}
