import { Broker } from "../../../src/broker/broker";
import type { Usage } from "../../../src/broker/inspection";
import type { FuzzHost } from "./fuzz-host";
import { settings } from "./fuzz-settings";

/** Slots and chunk bytes in use, and the peak of the stack in slots. */
export interface Memory {
	readonly slots: number;
	readonly chunks: number;
	readonly stack: number;
}

/** A broker on one of the engines. Its errors are thrown. */
export interface Subject {
	/** Usage of its pools. */
	usage(): Record<keyof Usage, number>;
	/** Topics that have a value. */
	topics(): Uint8Array[];
	/** Number of internal errors. */
	internalErrors(): number;
	/** Memory in use after a garbage collection; undefined where it is not measured. */
	memoryUse(): Memory | undefined;
	end(): void;
}

export class SubjectOnNode implements Subject {
	readonly #broker: Broker;

	constructor(host: FuzzHost) {
		this.#broker = new Broker(host, settings);
		this.#broker.start();
	}

	usage(): Record<keyof Usage, number> {
		return this.#broker.usage;
	}

	topics(): Uint8Array[] {
		const topics: Uint8Array[] = [];
		this.#broker.forEachValue((bytes, start, end) => topics.push(bytes.slice(start, end)));
		return topics;
	}

	internalErrors(): number {
		return this.#broker.counters.internalErrors;
	}

	memoryUse(): undefined {}

	end(): void {}
}
