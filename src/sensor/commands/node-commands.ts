import { overrideSettings } from "../../config/override";
import type { Settings } from "../../config/types";
import type { Device } from "../../device";
import { decodeUTF8, utf8 } from "../../mqtt/utf8";
import type { DerivedSettings } from "../settings/derived-settings";
import { brokerHash } from "../settings/settings-hash";
import { addOutcome, RESTORED_OUTCOME } from "./answer-area";
import { COMMAND_BYTES, CommandMemory } from "./command-memory";
import { writeAnswer } from "./command-text";
import type { ImageUpdate, ImageUpdateConstructor, UpdateDevice } from "./image-update";
import { SETTINGS_PATH, SETTINGS_TEXT_LIMIT, StoredSettings } from "./stored-settings";

function trialWakes({ commands }: Settings): number {
	return commands === undefined ? 1 : commands.trialWakes;
}

/** The parts of a device that commands work with. */
export type CommandDevice = Pick<Device, "mac" | "retained"> & UpdateDevice;

/**
 * What a node that takes commands keeps from one wake to the next, and its settings: those of the firmware
 * with what the command `set` has changed. New ones are on trial until a report is acknowledged; after
 * `trialWakes` wakes without one, the node returns to those before.
 */
export class NodeCommands {
	readonly memory: CommandMemory;
	/** In force in this wake. */
	readonly settings: Settings;
	readonly derived: DerivedSettings;
	/** Generation of these settings, with which no report was acknowledged yet; 0: they are not on trial. */
	private trialGeneration = 0;
	/** A command has changed the settings in this wake. */
	declare private isSet?: true;
	/** The node has tried to report in this wake. */
	hasTried = false;
	readonly device: CommandDevice;
	/** An update to another image; absent: there is none in progress. */
	declare update?: ImageUpdate;
	/** Absent: the configuration or the image has no updates. */
	declare private readonly Update?: ImageUpdateConstructor;
	/** Those of the firmware, if others are in force. */
	declare private readonly base?: Settings;

	/**
	 * @param settings with `commands`
	 * @param Update the class of updates, if the image has it
	 */
	constructor(
		device: CommandDevice,
		settings: Settings,
		derived: DerivedSettings,
		Update?: ImageUpdateConstructor,
	) {
		const { retained } = device;
		this.device = device;
		if (Update !== undefined) this.Update = Update;
		let memory = retained;
		if (retained.length < 2 * COMMAND_BYTES) {
			device.trace(`retained memory of ${retained.length} bytes is too small for commands`);
			memory = new Uint8Array(COMMAND_BYTES);
		}
		this.memory = new CommandMemory(memory);
		if (Update !== undefined && settings.update !== undefined && this.memory.isUpdatePending) {
			const update = new Update(device, settings.update, this.memory);
			// It has found out whether there is any
			if (this.memory.isUpdatePending) this.update = update;
		}
		const overrides = this.loadOverrides(trialWakes(settings));
		if (overrides === undefined) {
			this.settings = settings;
			this.derived = derived;
			return;
		}
		this.base = settings;
		this.settings = overrideSettings(settings, overrides, (problem) => device.trace(problem));
		const { broker, wifi } = this.settings;
		const derivedFrom = { __proto__: derived, brokerHash: brokerHash(broker, wifi) };
		this.derived = derivedFrom as unknown as DerivedSettings;
	}

	/** Bytes of retained memory that are left for the node. */
	get retainedBytes(): number {
		const { start } = this.memory;
		return start === 0 ? this.device.retained.length : start;
	}

	/**
	 * Stores settings, which apply from the next start on.
	 * @returns why they are refused; undefined: they are stored
	 */
	set(overrides: unknown): string | undefined {
		const base = this.base ?? this.settings;
		const { role } = base;
		if (role !== "sensor") return `a device with the role ${role} takes no settings`;
		if (this.device.storage === undefined) return "this device has no storage";
		if (typeof overrides !== "object" || overrides === null || Array.isArray(overrides))
			return "settings is not an object";
		let problem: string | undefined;
		overrideSettings(base, overrides, (text) => {
			problem ??= text;
		});
		if (problem !== undefined) return problem;
		const text = utf8(JSON.stringify(overrides));
		if (text.length > SETTINGS_TEXT_LIMIT)
			return `the settings take ${text.length} bytes; at most ${SETTINGS_TEXT_LIMIT} are kept`;
		return this.store(text);
	}

	/** For the command `update`. @returns a text: why there can be none */
	takeUpdate(): ImageUpdate | string {
		const { Update, device, memory } = this;
		const { update: configured, role } = this.settings;
		if (role !== "sensor") return `a device with the role ${role} takes no image`;
		if (configured === undefined) return "the configuration has no update";
		if (Update === undefined) return "the image lacks firmware/update/manifest.json";
		this.update ??= new Update(device, configured, memory);
		return this.update;
	}

	/**
	 * A report was acknowledged: the settings in force are good.
	 * @returns whether a step of the commands has to follow
	 */
	confirm(): boolean {
		// Apart: on XS a variable of a closure is allocated at the start of its function
		if (this.trialGeneration > 0) this.confirmSettings();
		return this.update?.onDelivered() === true;
	}

	private confirmSettings(): void {
		// Not those that a command has stored in this wake, before the acknowledgement came
		const generation = this.trialGeneration;
		this.trialGeneration = 0;
		this.memory.trialWakes = 0;
		this.memory.commit();
		try {
			this.useStorage((stored) => stored.confirm(generation));
		} catch (error) {
			this.device.trace(`settings cannot be confirmed: ${error}`);
		}
	}

	/** This is the first wake with these settings, or with this image. */
	get isFirstTrial(): boolean {
		if (this.update?.isFirstTrial) return true;
		return this.trialGeneration > 0 && this.memory.trialWakes === 1;
	}

	/**
	 * Call before deep sleep: a wake that could not report counts against an image on trial, whose first wake
	 * has made all sensors due. It may only wait for the next try. Settings on trial are newer than the image,
	 * and are blamed first.
	 * @param waiting reports in the outbox
	 */
	countWake(waiting: number): void {
		if (this.trialGeneration === 0 && (this.hasTried || waiting === 0)) this.update?.countFailure();
	}

	/** Call before sleep: a wake that had nothing to report is no trial. */
	beforeSleep(): void {
		if (this.trialGeneration === 0 || this.hasTried) return;
		this.memory.trialWakes--;
		this.memory.commit();
	}

	/**
	 * A node without sleep could not report: each try counts as a wake, of which its start was the first.
	 * @returns whether it has to start anew, which restores the settings before
	 */
	countFailedTry(): boolean {
		if (this.trialGeneration === 0) return this.update?.countFailure() === true;
		const { memory } = this;
		if (memory.trialWakes >= trialWakes(this.settings)) return true;
		memory.trialWakes++;
		memory.commit();
		return false;
	}

	/**
	 * No report was acknowledged yet with the newest settings: an image that was started now would be on trial
	 * together with them, and a failure would be blamed on it.
	 */
	get areSettingsOnTrial(): boolean {
		return this.trialGeneration > 0 || this.isSet === true;
	}

	/** An answer to no command is owed, and there is room for it. */
	get isOutcomeDue(): boolean {
		const { memory, update } = this;
		return memory.answerCount === 0 && (memory.restoredAfter > 0 || update?.isOutcomeOwed === true);
	}

	/**
	 * Adds the answers to no command that are owed, as far as there is room: what is left waits until the
	 * others are acknowledged.
	 */
	addOutcomes(): void {
		const { memory } = this;
		const { restoredAfter } = memory;
		if (restoredAfter > 0) {
			const problem = `restored the settings before: no report within ${restoredAfter} wakes`;
			const isAdded = addOutcome(memory, RESTORED_OUTCOME, writeAnswer("set", undefined, problem));
			memory.commit();
			if (isAdded) memory.restoredAfter = 0;
		}
		this.update?.addOutcome();
	}

	private store(text: Uint8Array): string | undefined {
		const { memory } = this;
		// Until storage was written, only it knows which settings are in force
		memory.isSettingUnsettled = true;
		memory.commit();
		try {
			this.useStorage((stored) => {
				memory.settings = stored.write(stored.read(), text);
			});
		} catch (error) {
			return `storage: ${error}`;
		}
		memory.trialWakes = 0;
		memory.isSettingUnsettled = false;
		this.isSet = true;
		return undefined;
	}

	/** The overrides in force; undefined: there are none. */
	private loadOverrides(limit: number): object | undefined {
		const { memory, device } = this;
		// Storage is opened only if it may have something: that takes time and memory
		if (!memory.wasLost && !memory.isSettingUnsettled && memory.settings === 0) return undefined;
		if (device.storage === undefined) return undefined;
		try {
			let text: Uint8Array | undefined;
			this.useStorage((stored) => {
				text = this.load(stored, limit);
			});
			memory.isSettingUnsettled = false;
			memory.commit();
			if (memory.restoredAfter > 0) this.addOutcomes();
			return text === undefined || text.length === 0
				? undefined
				: (JSON.parse(decodeUTF8(text, 0, text.length)) as object);
		} catch (error) {
			device.trace(`settings cannot be read: ${error}`);
			// The next wake reads them, also if nothing else says that there are any
			memory.isSettingUnsettled = true;
			memory.commit();
			return undefined;
		}
	}

	private load(stored: StoredSettings, limit: number): Uint8Array {
		const { memory, device } = this;
		let record = stored.read();
		if (record.generation !== memory.settings) {
			memory.settings = record.generation;
			memory.trialWakes = 0;
		}
		if (record.generation > record.confirmed && memory.trialWakes >= limit) {
			device.trace(`no report within ${memory.trialWakes} wakes: the settings before are restored`);
			stored.restore(record);
			device.event?.("command", "restored", false);
			memory.restoredAfter = limit;
			record = stored.read();
			memory.settings = record.generation;
			memory.trialWakes = 0;
		} else if (record.generation > record.confirmed) {
			this.trialGeneration = record.generation;
			memory.trialWakes++;
		}
		return record.text;
	}

	private useStorage(use: (stored: StoredSettings) => void): void {
		const { storage } = this.device;
		if (storage === undefined) throw new Error("this device has none");
		const opened = new StoredSettings(storage.open({ path: SETTINGS_PATH, format: "buffer" }));
		try {
			use(opened);
		} finally {
			opened.close();
		}
	}
}
