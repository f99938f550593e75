import type { UpdateSettings } from "../../config/types";
import type { ImageSlots } from "../../device";
import type { UpdatePhase } from "../../device-events";
import { VERSION } from "../../version";
import { addAnswer, hasRoomForAnswer } from "../commands/answer-area";
import type { CommandMemory } from "../commands/command-memory";
import { writeAnswer } from "../commands/command-text";
import type { ImageUpdate, UpdateDevice } from "../commands/image-update";
import { type DownloadHandler, ImageDownload } from "./image-download";
import { ImageReceiver } from "./image-receiver";
import { parseImageURL } from "./image-url";
import { StoredUpdate, UPDATE_PATH, type UpdateState } from "./stored-update";

/** Identity of an answer to no command. */
const NO_COMMAND = 0;
/** A topic that stands for the one of the configuration. */
const DEFAULT_TOPIC: Uint8Array = new Uint8Array(0);
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
			this.isOnTrial = this.slots.isOnTrial;
		}
	}

	get isDue(): boolean {
		return this.state?.phase === "requested" && !this.isFetching;
	}

	get isFetching(): boolean {
		return this.download !== undefined;
	}

	accept(url: unknown, sha256: unknown, id: string | undefined): string | undefined {
		const { slots, device } = this;
		if (device.storage === undefined) return "this device has no storage";
		if (slots.size === 0) return "this device has no second slot for an image";
		if (this.isOnTrial) return "the image that runs is on trial itself";
		if (this.isFetching || this.isActivated) return "another image is being fetched";
		const address = parseImageURL(url);
		if (typeof address === "string") return address;
		const digest = typeof sha256 === "string" ? sha256.toLowerCase() : "";
		if (!isDigest(digest)) return `sha256 does not have ${DIGEST_LENGTH} hexadecimal digits`;
		const { state } = this;
		if (state?.phase === "confirmed" && state.sha256 === digest && state.slot === slots.running) {
			this.answer(id, undefined);
			return undefined;
		}
		const slot = 1 - slots.running;
		try {
			this.store({ phase: "requested", url: String(url), sha256: digest, id, tries: 0, slot });
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
		const { state, device } = this;
		try {
			device.imageSlots?.confirm();
			// Otherwise the next report is to confirm it
			this.isOnTrial = this.isFirstTrial = this.returns = false;
			this.answer(state?.id, undefined);
			this.tell("confirmed");
			if (state === undefined) this.memory.isUpdatePending = false;
			else this.store({ ...state, phase: "confirmed" });
		} catch (error) {
			device.trace(`the image cannot be confirmed: ${error}`);
		}
	}

	countFailure(): boolean {
		// The connection has ended before the step that was to do it
		if (this.isConfirmDue) this.confirm();
		if (this.returns || !this.isOnTrial) return this.returns;
		const { settings, slots } = this;
		const state = this.state ?? {
			phase: "trial",
			url: "",
			sha256: "",
			tries: 0,
			slot: slots.running,
		};
		const tries = state.tries + 1;
		this.returns = tries >= settings.trialWakes;
		this.tryTo(() => this.store({ ...state, tries, phase: this.returns ? "returned" : "trial" }));
		if (this.returns) {
			this.device.trace(`no report within ${tries} wakes: back to the image before`);
			this.tell("returned");
		}
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
				if (!this.isOnTrial) memory.isUpdatePending = false;
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
		this.tryTo(() => this.store(undefined));
		this.answer(state.id, reason);
		this.tell("failed");
	}

	/** Stores an answer with the outcome. @param problem undefined: the image runs */
	private answer(id: string | undefined, problem: string | undefined): void {
		const { memory } = this;
		if (!hasRoomForAnswer(memory, 0, 0)) return;
		const state = problem === undefined ? `,"state":"running","version":"${VERSION}"` : ',"state":"failed"';
		const payload = writeAnswer("update", id, problem, state);
		addAnswer(memory, NO_COMMAND, 0, DEFAULT_TOPIC, undefined, payload);
		memory.commit();
	}

	private tell(phase: UpdatePhase): void {
		this.device.event?.("update", phase);
	}

	/** @throws errors of the storage; then the state here is what was to be stored */
	private store(state: UpdateState | undefined): void {
		this.state = state;
		// While storage is written, only it tells
		this.memory.isUpdatePending = true;
		this.useStorage((stored) => stored.write(state));
		this.memory.isUpdatePending = state !== undefined && state.phase !== "confirmed";
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

function isDigest(text: string): boolean {
	if (text.length !== DIGEST_LENGTH) return false;
	for (const digit of text)
		if (!((digit >= "0" && digit <= "9") || (digit >= "a" && digit <= "f"))) return false;
	return true;
}

export default NodeUpdate;
