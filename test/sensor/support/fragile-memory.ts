/** The simulated reset of {@link createFragileMemory}. */
export class ResetError extends Error {}

export interface FragileMemory {
	/** Retained memory as the firmware sees it. */
	readonly memory: Uint8Array;
	/** The actual content, not subject to resets. */
	readonly bytes: Uint8Array;
	/** Bytes that may still be written before a {@link ResetError}; Infinity: no reset. */
	writeBudget: number;
	/** The value of `writeBudget` at the start of each write of one byte or several, if it was finite. */
	readonly writes: number[];
	/** The error was thrown: the chip is reset as soon as the code that caught it returns. */
	isReset: boolean;
	/** Whether a write of several bytes proceeds from the last to the first. */
	writesBackwards: boolean;
}

/** Creates memory in which a reset may happen between any two bytes of a write. */
export function createFragileMemory(size: number, fill?: Uint8Array): FragileMemory {
	const bytes = new Uint8Array(size);
	if (fill) bytes.set(fill);
	const write = (index: number, value: number) => {
		if (state.writeBudget <= 0) {
			state.isReset = true;
			throw new ResetError();
		}
		state.writeBudget--;
		bytes[index] = value;
	};
	const set = (from: Uint8Array, at: number) => {
		if (Number.isFinite(state.writeBudget)) state.writes.push(state.writeBudget);
		if (at + from.length > size) throw new RangeError("write beyond retained memory");
		for (let i = 0; i < from.length; i++) {
			const index = state.writesBackwards ? from.length - 1 - i : i;
			write(at + index, from[index]);
		}
	};
	const memory = new Proxy(bytes, {
		get: (target, name) => {
			if (name === "set") return set;
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === "function" ? value.bind(target) : value;
		},
		set: (_, name, value) => {
			const index = Number(name);
			if (!(index >= 0 && index < size)) throw new RangeError(`write to ${String(name)}`);
			if (Number.isFinite(state.writeBudget)) state.writes.push(state.writeBudget);
			write(index, value);
			return true;
		},
	});
	const state: FragileMemory = {
		memory,
		bytes,
		writeBudget: Infinity,
		writes: [],
		isReset: false,
		writesBackwards: false,
	};
	return state;
}
