import type { UpdateSettings } from "../../config/types";
import type { ImageSlots } from "../../device";
import type { UpdatePhase } from "../../device-events";
import { fnv1aOfText } from "../../text/fnv1a";
import { VERSION } from "../../version";
import { addOutcome } from "../commands/answer-area";
import type { CommandMemory } from "../commands/command-memory";
import { shorten, writeAnswer } from "../commands/command-text";
import type { ImageUpdate, UpdateDevice } from "../commands/image-update";
import { type DownloadHandler, ImageDownload } from "./image-download";
import { ImageReceiver } from "./image-receiver";
import { parseImageURL } from "./image-url";
import { StoredUpdate, UPDATE_PATH, type UpdateState } from "./stored-update";

/** Longest reason of a failure that is stored, characters. */
const REASON_LIMIT = 140;
/** Digits of a SHA-256. */
const DIGEST_LENGTH = 64;

/** The device's slots; without any where it has none. */
const NO_SLOTS: Pick<ImageSlots, "size" | "running" | "isOnTrial"> = Object.freeze({
	size: 0,
	running: 0,
	isOnTrial: false,
});

/**
 * An update from the command to its outcome, over any number of wakes, resets and losses of power. What is to
 * be done follows from three things that survive them: the state in storage, which slot runs, and what the
 * bootloader knows of it. Exists from the command on, and in a wake that finds an update in progress.
 */
export class NodeUpdate implements ImageUpdate, DownloadHandler {
	isFirstTrial = false;
	isConfirmDue = false;
	isActivated = false;
	private readonly device: UpdateDevice;
	private readonly settings: UpdateSettings;
	private readonly memory: CommandMemory;
	private state: UpdateState | undefined;
	/** Its state could not be read at the start of this run. */
	declare private isUnread?: true | undefined;
	private isOnTrial = false;
	/** The run is to end with the image before. */
	private returns = false;
	private download: ImageDownload | undefined;
	private receiver: ImageReceiver | undefined;
	private onFetched: () => void = () => {};

	constructor(device: UpdateDevice, settings: UpdateSettings, memory: CommandMemory) {
		this.device = device;
		this.settings = settings;
		this.memory = memory;
		try {
			if (device.storage !== undefined) this.state = this.useStorage((stored) => stored.read());
			this.resume();
		} catch (error) {
			device.trace(`the state of the update cannot be read: ${error}`);
			this.isUnread = true;
			this.isOnTrial = this.slots.isOnTrial;
			this.isFirstTrial = this.isOnTrial && memory.trialWakes === 0;
		}
	}

	get isDue(): boolean {
		return this.state?.phase === "requested" && !this.isFetching;
	}

	get isFetching(): boolean {
		return this.download !== undefined;
	}

	get isOutcomeOwed(): boolean {
		return this.state?.isOwed === true;
	}

	accept(url: unknown, sha256: unknown, id: string | undefined, isRetained: boolean): string | undefined {
		const { slots, device } = this;
		if (device.storage === undefined) return "this device has no storage";
		if (slots.size === 0) return "this device has no second slot for an image";
		if (this.isOnTrial) return "the image that runs is on trial itself";
		if (this.isFetching || this.isActivated) return "another image is being fetched";
		const address = parseImageURL(url);
		if (typeof address === "string") return address;
		const digest = typeof sha256 === "string" ? sha256.toLowerCase() : "";
		if (!isDigest(digest)) return `sha256 does not have ${DIGEST_LENGTH} hexadecimal digits`;
		let state: UpdateState | undefined;
		try {
			state = this.requireState();
		} catch (error) {
			return `storage: ${error}`;
		}
		let next: UpdateState = {
			phase: "requested",
			url: String(url),
			sha256: digest,
			id,
			tries: 0,
			slot: 1 - slots.running,
		};
		if (state?.sha256 === digest) {
			if (state.phase === "confirmed" && state.slot === slots.running) next = { ...state, id, isOwed: true };
			// It comes again once retained memory is lost, which must not begin the tries anew
			else if (isRetained && state.id === id) {
				if (state.phase === "failed") return `it has failed before: ${state.error}`;
				if (state.phase === "requested") return undefined;
			}
		}
		try {
			this.store(next);
		} catch (error) {
			this.state = state;
			return `storage: ${error}`;
		}
		return undefined;
	}

	fetch(onEnd: () => void): void {
		const { device, state } = this;
		this.onFetched = onEnd;
		if (state === undefined) return;
		const { url, tries } = state;
		const address = parseImageURL(url);
		const { imageSlots } = device;
		if (typeof address === "string" || imageSlots === undefined) return;
		const receiver = new ImageReceiver(imageSlots, device.chip);
		this.receiver = receiver;
		this.download = new ImageDownload(device, address, receiver, this.settings.awakeLimit, this);
		// Counted before, so that a try which ends in a crash or a loss of power counts too
		this.tryTo(() => this.store({ ...state, tries: tries + 1 }));
		this.tell("fetching");
		// From an empty stack
		device.timer.set(() => this.download?.open(), 1);
	}

	/** For the download. */
	onEnd(problem: string | undefined, mayRetry: boolean): void {
		const { receiver, state } = this;
		this.download = this.receiver = undefined;
		try {
			if (state === undefined || receiver === undefined) return;
			const reason = problem ?? this.activate(receiver, state);
			if (reason === undefined) return;
			receiver.close();
			this.endTry(state, reason, problem !== undefined && mayRetry);
		} finally {
			this.onFetched();
		}
	}

	onDelivered(): boolean {
		if (this.isOnTrial) this.isConfirmDue = true;
		return this.isConfirmDue;
	}

	confirm(): void {
		this.isConfirmDue = false;
		const { device } = this;
		let state: UpdateState | undefined;
		try {
			device.imageSlots?.confirm();
			// Otherwise the next report is to confirm it, and so where its state cannot be read, in the next wake
			this.isOnTrial = this.isFirstTrial = this.returns = false;
			if (this.memory.trialWakes > 0) this.memory.trialWakes = 0;
			state = this.requireState();
			this.tell("confirmed");
		} catch (error) {
			device.trace(`the image cannot be confirmed: ${error}`);
			return;
		}
		this.settle({ ...(state ?? this.unknownUpdate), phase: "confirmed" });
	}

	addOutcome(): void {
		const { state, memory } = this;
		if (state === undefined || !this.isOutcomeOwed) return;
		const isRunning = state.phase === "confirmed";
		const more = isRunning ? `,"state":"running","version":"${VERSION}"` : ',"state":"failed"';
		const problem = isRunning ? undefined : String(state.error);
		addOutcome(memory, outcomeIdentity(state), writeAnswer("update", state.id, problem, more));
		memory.commit();
	}

	isOutcome(identity: number): boolean {
		const { state } = this;
		return state?.isOwed === true && outcomeIdentity(state) === identity;
	}

	onOutcomeTold(): void {
		const { state } = this;
		if (state !== undefined && this.isOutcomeOwed)
			this.tryTo(() => this.store({ ...state, isOwed: undefined }));
	}

	countFailure(): boolean {
		// The connection has ended before the step that was to do it
		if (this.isConfirmDue) this.confirm();
		if (this.returns || !this.isOnTrial) return this.returns;
		const { settings } = this;
		this.tryTo(() => this.requireState());
		if (this.isUnread) return this.countUnreadFailure();
		const state = this.state ?? this.unknownUpdate;
		const tries = state.tries + 1;
		this.returns = tries >= settings.trialWakes;
		this.tryTo(() => this.store({ ...state, tries, phase: this.returns ? "returned" : "trial" }));
		if (this.returns) {
			this.device.trace(`no report within ${tries} wakes: back to the image before`);
			this.tell("returned");
		}
		return this.returns;
	}

	/**
	 * A count that begins anew must not be stored in place of the one that is there. It is where that of
	 * settings on trial is, which this image has not: they would be blamed.
	 */
	private countUnreadFailure(): boolean {
		const { memory } = this;
		const tries = memory.trialWakes + 1;
		this.returns = tries >= this.settings.trialWakes;
		memory.trialWakes = this.returns ? 0 : tries;
		memory.commit();
		if (this.returns) this.device.trace(`no report within ${tries} wakes: back to the image before`);
		return this.returns;
	}

	endRun(): boolean {
		const { imageSlots } = this.device;
		if (imageSlots === undefined || !(this.returns || this.isActivated)) return false;
		try {
			if (this.returns) imageSlots.rollBack();
			else imageSlots.restart();
			return true;
		} catch (error) {
			this.device.trace(`the other image cannot be started: ${error}`);
			return false;
		}
	}

	private get slots(): Pick<ImageSlots, "size" | "running" | "isOnTrial"> {
		return this.device.imageSlots ?? NO_SLOTS;
	}

	/**
	 * The state in storage. If it could not be read at the start of the run, it is read again: a change of one
	 * that is not known would lose the identifier of the command, and the count of tries.
	 * @throws errors of the storage
	 */
	private requireState(): UpdateState | undefined {
		if (this.isUnread) {
			this.state = this.useStorage((stored) => stored.read());
			this.isUnread = undefined;
		}
		return this.state;
	}

	/** Of an image whose state was lost. */
	private get unknownUpdate(): UpdateState {
		return { phase: "trial", url: "", sha256: "", tries: 0, slot: this.slots.running };
	}

	/** What the last run has left to do. */
	private resume(): void {
		const { state, slots, device, memory } = this;
		const isNew = state !== undefined && slots.running === state.slot;
		this.isOnTrial = slots.isOnTrial || (state?.phase === "trial" && isNew);
		this.isFirstTrial = this.isOnTrial && (state?.tries ?? 0) === 0;
		switch (state?.phase) {
			case "requested":
				this.checkTries(state);
				return;
			case "trial":
				if (isNew) return;
				if (device.imageSlots?.wasRejected)
					this.fail(state, "returned to the image before: the new one was reset before it could report");
				// The power was lost before it was activated
				else this.requestAgain(state);
				return;
			case "returned":
				if (isNew) this.returns = true;
				else this.fail(state, `returned to the image before: no report within ${state.tries} wakes`);
				return;
			default:
				this.addOutcome();
				if (!this.isOnTrial && !this.isOutcomeOwed) memory.isUpdatePending = false;
		}
	}

	private requestAgain(state: UpdateState): void {
		const requested: UpdateState = { ...state, phase: "requested", tries: state.fetches ?? 1 };
		this.store(requested);
		this.checkTries(requested);
	}

	/** The last try was interrupted. */
	private checkTries(state: UpdateState): void {
		const { tries } = state;
		if (tries >= this.settings.tries) this.fail(state, `${tries} tries were interrupted`);
	}

	/** @returns why it cannot be activated */
	private activate(receiver: ImageReceiver, state: UpdateState): string | undefined {
		try {
			if (receiver.takeDigest() !== state.sha256) return "the image has another SHA-256";
			this.store({ ...state, phase: "trial", tries: 0, fetches: state.tries });
			receiver.activate();
		} catch (error) {
			return `the image cannot be activated: ${error}`;
		}
		this.isActivated = true;
		this.tell("activated");
		return undefined;
	}

	private endTry(state: UpdateState, reason: string, mayRetry: boolean): void {
		const tries = this.state?.tries ?? 0;
		if (mayRetry && tries < this.settings.tries) {
			this.device.trace(`update: ${reason}; try ${tries} of ${this.settings.tries}`);
			this.tell("interrupted");
		} else this.fail(state, reason);
	}

	/** The update is over, and the image is the one before. */
	private fail(state: UpdateState, reason: string): void {
		this.device.trace(`update given up: ${reason}`);
		this.settle({ ...state, phase: "failed", url: "", error: shorten(reason, REASON_LIMIT) });
		this.tell("failed");
	}

	/** The update is over: its outcome is owed until the broker has the answer. */
	private settle(state: UpdateState): void {
		this.tryTo(() => this.store({ ...state, isOwed: true }));
		this.addOutcome();
	}

	private tell(phase: UpdatePhase): void {
		this.device.event?.("update", phase);
	}

	/** @throws errors of the storage; then the state here is what was to be stored */
	private store(state: UpdateState): void {
		this.state = state;
		// While storage is written, only it tells
		this.memory.isUpdatePending = true;
		this.useStorage((stored) => stored.write(state));
		const isOver = state.phase === "confirmed" || state.phase === "failed";
		this.memory.isUpdatePending = !isOver || this.isOutcomeOwed;
	}

	private tryTo(change: () => void): void {
		try {
			change();
		} catch (error) {
			this.device.trace(`the state of the update cannot be stored: ${error}`);
		}
	}

	private useStorage<T>(use: (stored: StoredUpdate) => T): T {
		const { storage } = this.device;
		if (storage === undefined) throw new Error("this device has none");
		const opened = new StoredUpdate(storage.open({ path: UPDATE_PATH, format: "buffer" }));
		try {
			return use(opened);
		} finally {
			opened.close();
		}
	}
}

/** Of the answer with what has become of an update. Another one's may be owed beside it. */
function outcomeIdentity({ phase, sha256, id }: UpdateState): number {
	return fnv1aOfText(`${phase} ${sha256} ${id}`);
}

function isDigest(text: string): boolean {
	if (text.length !== DIGEST_LENGTH) return false;
	for (const digit of text)
		if (!((digit >= "0" && digit <= "9") || (digit >= "a" && digit <= "f"))) return false;
	return true;
}

export default NodeUpdate;
