import { sharedFilterStart } from "../../mqtt/topics";
import type { Core } from "../core";
import { SLASH } from "../topic-tree";
import type { KeptSessions } from "./kept-sessions";
import { CHANGED } from "./ledger";
import { SUBSCRIPTION, type Vault } from "./vault";

/** Stores the subscriptions of lasting sessions. */
export class KeptSubscriptions {
	readonly #core: Core;
	readonly #vault: Vault;

	constructor(core: Core, vault: Vault) {
		this.#core = core;
		this.#vault = vault;
	}

	/** @returns how many subscriptions found no room */
	restore(sessions: KeptSessions): number {
		const { subscriptions } = this.#core;
		const vault = this.#vault;
		const { body } = vault;
		const ledger = vault.ledgers[SUBSCRIPTION];
		let lost = 0;
		for (let i = 1; i < ledger.states.length; i++) {
			if (!vault.read(SUBSCRIPTION, i)) continue;
			const stored = body.readU16();
			const options = body.readU8();
			const shared = body.readU8() !== 0;
			const identifier = body.readU32();
			const { bytes, at, end } = body;
			const session = sessions.restored(stored);
			const subscription =
				session === 0 ? 0 : subscriptions.add(session, bytes, at, end, shared ? sharedFilterStart(bytes, at, end) : 0, options, identifier);
			if (subscription === 0 && session !== 0) lost++;
			ledger.move(i, subscription);
			if (session !== stored && subscription !== 0) ledger.mark(subscription);
		}
		subscriptions.ledger = ledger;
		return lost;
	}

	save(): void {
		const core = this.#core;
		const { subscriptions, sessions } = core;
		const vault = this.#vault;
		const { body } = vault;
		const ledger = vault.ledgers[SUBSCRIPTION];
		if (!ledger.changed) return;
		const { states } = ledger;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			const session = i > core.settings.subscriptions ? 0 : subscriptions.session(i);
			if (session === 0 || !sessions.lasting(session)) {
				vault.drop(SUBSCRIPTION, i);
				continue;
			}
			const { tree } = subscriptions;
			const share = subscriptions.share(i);
			body.begin();
			body.u16(session);
			body.u8(subscriptions.options(i, core.connectionOf(session)?.filling === i));
			body.u8(share === 0 ? 0 : 1);
			body.u32(subscriptions.identifier(i));
			if (share !== 0) {
				body.at = tree.copyPath(share, body.bytes, body.at);
				body.u8(SLASH);
			}
			body.at = tree.copyPath(subscriptions.node(i), body.bytes, body.at);
			vault.put(SUBSCRIPTION, i);
		}
	}
}
