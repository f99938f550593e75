import { sharedFilterStart } from "../../mqtt/topics";
import { SLASH } from "../../text/ascii";
import type { Core } from "../core/core";
import { CHANGED } from "../pool/dirty-flags";
import type { SessionRecords } from "./session-records";
import { SUBSCRIPTION_KIND, type TransactionalStore } from "./transactional-store";

/** Stores the subscriptions of persistent sessions. */
export class SubscriptionRecords {
	readonly #core: Core;
	readonly #recordStore: TransactionalStore;

	constructor(core: Core, recordStore: TransactionalStore) {
		this.#core = core;
		this.#recordStore = recordStore;
	}

	/** @returns how many subscriptions could not be restored */
	restore(sessions: SessionRecords): number {
		const { subscriptions } = this.#core;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		const dirtyFlags = recordStore.dirtyFlags[SUBSCRIPTION_KIND];
		let lost = 0;
		for (let i = 1; i < dirtyFlags.states.length; i++) {
			if (!recordStore.readRecord(SUBSCRIPTION_KIND, i)) continue;
			const storedSession = codec.readU16();
			const options = codec.readU8();
			codec.readU8(); // whether it is shared, which the filter tells: earlier versions wrote 0 for MQTT 3.1.1
			const identifier = codec.readU32();
			const { bytes, at, end } = codec;
			const session = sessions.restoredSession(storedSession);
			const subscription =
				session === 0
					? 0
					: subscriptions.add(
							session,
							at,
							end,
							Math.max(sharedFilterStart(bytes, at, end), 0),
							options,
							identifier,
						);
			if (subscription === 0 && session !== 0) lost++;
			dirtyFlags.renumber(i, subscription);
			if (session !== storedSession && subscription !== 0) dirtyFlags.mark(subscription);
		}
		subscriptions.dirtyFlags = dirtyFlags;
		return lost;
	}

	save(): void {
		const core = this.#core;
		const { subscriptions, sessions } = core;
		const recordStore = this.#recordStore;
		const { codec } = recordStore;
		const dirtyFlags = recordStore.dirtyFlags[SUBSCRIPTION_KIND];
		if (!dirtyFlags.changed) return;
		const { states } = dirtyFlags;
		for (let i = 1; i < states.length; i++) {
			if ((states[i] & CHANGED) === 0) continue;
			const session = i > core.settings.subscriptions ? 0 : subscriptions.session(i);
			if (session === 0 || !sessions.persistent(session)) {
				recordStore.drop(SUBSCRIPTION_KIND, i);
				continue;
			}
			const { tree } = subscriptions;
			const share = subscriptions.share(i);
			codec.startWriting();
			codec.writeU16(session);
			codec.writeU8(subscriptions.options(i, core.connectionOf(session)?.retainedSubscription === i));
			codec.writeU8(share === 0 ? 0 : 1);
			codec.writeU32(subscriptions.identifier(i));
			if (share !== 0) {
				codec.at = tree.copyPath(share, codec.bytes, codec.at);
				codec.writeU8(SLASH);
			}
			codec.at = tree.copyPath(subscriptions.node(i), codec.bytes, codec.at);
			recordStore.put(SUBSCRIPTION_KIND, i);
		}
	}
}
