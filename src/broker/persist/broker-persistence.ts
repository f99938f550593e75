import type { Storage } from "../../device";
import type { Core } from "../core/core";
import type { Persistence } from "../core/persistence";
import { Tables } from "../pool/tables";
import { MessageRecords } from "./message-records";
import { PersistentClock } from "./persistent-clock";
import { entryRecords, QueueRecords } from "./queue-records";
import { RetainedRecords } from "./retained-records";
import { SessionRecords } from "./session-records";
import { SubscriptionRecords } from "./subscription-records";
import { TransactionalStore } from "./transactional-store";

/**
 * Stores the state that survives a restart: values for new subscribers, and persistent sessions with their
 * subscriptions, queued messages and wills. Changes are marked in RAM as they happen, and save() stores them
 * together, so that a value that arrives every second is not written every second.
 */
export class BrokerPersistence implements Persistence {
	readonly #core: Core;
	readonly #recordStore: TransactionalStore;
	readonly #persistentClock: PersistentClock;
	readonly #sessions: SessionRecords;
	readonly #subscriptions: SubscriptionRecords;
	readonly #queues: QueueRecords;
	readonly #values: RetainedRecords;
	failing = false;

	/** Restores the stored state into the broker's empty pools. @throws errors of the storage */
	constructor(core: Core, storage: Storage) {
		const { settings } = core;
		const recordStore = new TransactionalStore(core.memory, storage, [
			settings.retainedTopics,
			settings.sessions,
			settings.subscriptions,
			settings.queuedMessages,
			entryRecords(core),
		]);
		const tables = new Tables(768);
		recordStore.loadCommit(tables);
		recordStore.requireReadable();
		const persistentClock = new PersistentClock(core.clock, core.host, recordStore);
		const messages = new MessageRecords(recordStore.codec, persistentClock);
		this.#core = core;
		this.#recordStore = recordStore;
		this.#persistentClock = persistentClock;
		this.#sessions = new SessionRecords(core, tables, recordStore, persistentClock, messages);
		this.#subscriptions = new SubscriptionRecords(core, recordStore);
		this.#queues = new QueueRecords(core, recordStore, messages);
		core.queues.table.enableSequences(tables, settings.queuedMessages);
		this.#values = new RetainedRecords(core, recordStore, messages);
		persistentClock.resume(recordStore.damaged ? messages.latestArrivalMs(recordStore) : 0);
		this.restore();
	}

	get awaitingWallClock(): boolean {
		return this.#persistentClock.awaitingWallClock;
	}

	get changed(): boolean {
		const { dirtyFlags } = this.#recordStore;
		for (let i = 0; i < dirtyFlags.length; i++) if (dirtyFlags[i].changed) return true;
		return false;
	}

	save(): void {
		const { counters, host, memory } = this.#core;
		const recordStore = this.#recordStore;
		const writes = recordStore.writes;
		try {
			this.applyMissedTime();
			this.#sessions.save();
			this.#subscriptions.save();
			this.#queues.save();
			this.#values.save();
			this.#persistentClock.setCommitTime();
			recordStore.commit();
			this.failing = false;
		} catch (error) {
			recordStore.rollback();
			counters.storageFailures++;
			if (!this.failing) host.trace(`broker: state is not stored: ${error}`);
			this.failing = true;
		}
		counters.storageWrites += recordStore.writes - writes;
		memory.reopenSendArea();
	}

	private restore(): void {
		const sessions = this.#sessions;
		const lost = [
			sessions.restore(),
			this.#subscriptions.restore(sessions),
			this.#queues.restore(sessions),
			this.#values.restore(),
		];
		sessions.finishRestore();
		if (lost.some((count) => count > 0))
			this.#core.host.trace(
				`broker: not restored, as the pools or rules have no place for them: ${lost[0]} sessions, ${lost[1]} subscriptions, ${lost[2]} messages, ${lost[3]} values`,
			);
		this.save();
	}

	private applyMissedTime(): void {
		const missedMs = this.#persistentClock.catchUp();
		if (missedMs === 0) return;
		this.#sessions.backdate(missedMs);
		this.#values.backdate(missedMs);
		this.#queues.backdate(missedMs);
	}
}
