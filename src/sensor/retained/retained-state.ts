import { mix32 } from "./checksum";
import {
	EXTENSION_HASH,
	FIXED_SIZE,
	headerSize,
	LAYOUT_MAGIC,
	LAYOUT_VERSION,
	MARK_ASLEEP,
	MARK_BOOTED,
	MARK_DRIVER,
	REAL_LAST_SYNC,
	REAL_WALL_TIME,
	REALS,
	SENSOR_REALS,
	SENSOR_VALUE,
	shapeOf,
	variableSize,
	WORD_CHECKSUM,
	WORD_GENERATION,
	WORD_HEAD,
	WORD_MAGIC,
	WORD_RECORDS,
	WORD_REFUSED_TOPICS,
	WORD_RING_SIZE,
	WORD_RING_START,
	WORD_SENSORS_HASH,
	WORD_SEQUENCE,
	WORD_SHAPE,
	WORD_USED,
	WORD_WAITING,
	WORDS,
} from "./layout";

/**
 * Result of {@link RetainedState.restore}. `garbage`: power-on, or another layout. `changed`: a valid header
 * for another list of sensors or another outbox size.
 */
export type RestoreResult = "valid" | "changed" | "garbage";

/**
 * The retained header: a working copy in RAM, as typed arrays over one buffer, that {@link commit} writes to
 * retained memory. A commit is atomic, also with regard to a reset during it.
 */
export class RetainedState {
	/** The whole buffer; the first `WORDS` elements are the words that layout.ts describes. */
	readonly words: Uint32Array;
	readonly reals: Float64Array;
	/** `SENSOR_REALS` doubles for each sensor. */
	readonly sensors: Float64Array;
	/** The fixed part as bytes; it begins with the link. */
	readonly link: Uint8Array;
	readonly memory: Uint8Array;
	/** The doubles that extension.ts describes, without the counts; absent if there are none. */
	declare readonly extension?: Float64Array;

	private readonly sensorsHash: number;
	private readonly ringSize: number;
	private readonly shape: number;
	private readonly checksum: (words: Uint32Array) => number;
	/** The parts after the fixed one. */
	private readonly variableBytes: Uint8Array;

	/**
	 * @param sensorsHash identifies the list of sensors
	 * @param ringSize bytes for the outbox; reduced if `memory` is smaller
	 * @param extension doubles of the extension
	 * @param counts how many of them, the last ones, are counts (run-counts.ts)
	 * @param checksum computes what mix32() does
	 * @throws {RangeError} if `memory` cannot hold the header and the smallest ring
	 */
	constructor(
		memory: Uint8Array,
		sensorCount: number,
		sensorsHash: number,
		ringSize: number,
		extension = 0,
		counts = 0,
		checksum: (words: Uint32Array) => number = mix32,
	) {
		const header = headerSize(sensorCount, extension);
		const room = memory.length - header;
		if (room < 256)
			throw new RangeError(`${memory.length} bytes of retained memory; at least ${header + 256} are needed`);
		this.memory = memory;
		this.sensorsHash = sensorsHash;
		this.checksum = checksum;
		this.shape = shapeOf(sensorCount, extension);
		this.ringSize = Math.min(ringSize, room);
		const buffer = new ArrayBuffer(FIXED_SIZE + variableSize(this.shape));
		this.words = new Uint32Array(buffer);
		this.reals = new Float64Array(buffer, WORDS * 4, REALS);
		this.sensors = new Float64Array(buffer, FIXED_SIZE, sensorCount * SENSOR_REALS);
		this.link = new Uint8Array(buffer, 0, FIXED_SIZE);
		this.variableBytes = new Uint8Array(buffer, FIXED_SIZE);
		if (extension > counts)
			this.extension = new Float64Array(buffer, FIXED_SIZE + this.sensors.byteLength, extension - counts);
	}

	/**
	 * Reads the newest valid copy; for start-up: allocates a little. After `changed` the words keep their old
	 * values until {@link resetLayout}, so that pending reports can be counted; after `garbage` everything is
	 * as at a first start.
	 * @param extensionHash of the settings that the extension's meaning depends on: it begins anew with others
	 */
	restore(extensionHash = 0): RestoreResult {
		const result = this.restoreHeader();
		const extension = this.extension;
		const hash = extension === undefined ? extensionHash : extension[EXTENSION_HASH];
		if (result !== "valid" || hash !== extensionHash) {
			this.words.fill(0, (FIXED_SIZE + this.sensors.byteLength) / 4);
			if (extension !== undefined) extension[EXTENSION_HASH] = extensionHash;
		}
		return result;
	}

	private restoreHeader(): RestoreResult {
		const first = this.generationOf(0);
		const second = this.generationOf(1);
		// Generations wrap around: the sign of the difference shows which copy is newer.
		const newest = ((second - first) | 0) > 0 ? 1 : 0;
		if (this.load(newest) || this.load(1 - newest)) return "valid";
		const foreign = this.loadForeign(newest) || this.loadForeign(1 - newest);
		this.sensors.fill(0);
		this.resetSensors();
		if (foreign) return "changed";
		this.words.fill(0);
		this.resetSensors();
		this.reals[REAL_WALL_TIME] = NaN;
		this.reals[REAL_LAST_SYNC] = NaN;
		this.words[WORD_SEQUENCE] = 1;
		this.resetLayout();
		return "garbage";
	}

	/** Sets the present shape with an empty ring; counters, sequence number and times are kept. */
	resetLayout(): void {
		const words = this.words;
		words[WORD_MAGIC] = LAYOUT_MAGIC;
		words[WORD_SHAPE] = (LAYOUT_VERSION << 16) | this.shape;
		words[WORD_SENSORS_HASH] = this.sensorsHash;
		words[WORD_RING_START] = this.ringStart;
		words[WORD_RING_SIZE] = this.ringSize;
		words[WORD_HEAD] =
			words[WORD_USED] =
			words[WORD_RECORDS] =
			words[WORD_WAITING] =
			words[WORD_REFUSED_TOPICS] =
				0;
	}

	/** Makes the working copy durable. Allocates nothing. */
	commit(): void {
		const words = this.words;
		const memory = this.memory;
		const generation = (words[WORD_GENERATION] + 1) >>> 0;
		words[WORD_GENERATION] = generation;
		words[WORD_CHECKSUM] = 0;
		words[WORD_CHECKSUM] = this.checksum(words);
		const copy = generation & 1;
		memory.set(this.link, copy * FIXED_SIZE);
		memory.set(this.variableBytes, 2 * FIXED_SIZE + copy * this.variableBytes.length);
	}

	/**
	 * Marks a boot. Returns whether another boot was marked since {@link clearBootMark}: in that case the
	 * elapsed time was not a sleep.
	 */
	markBoot(): boolean {
		const marked = this.wasInterrupted;
		this.mark(MARK_BOOTED);
		return marked;
	}

	/** Call before sleep, after the commit. */
	clearBootMark(): void {
		this.mark(MARK_ASLEEP);
	}

	/**
	 * After {@link restore}: marks that the driver of a sensor is being called; −1: it has returned.
	 */
	markDriver(sensor: number): void {
		this.memory[this.words[WORD_RING_START] - 1] = sensor < 0 ? MARK_BOOTED : MARK_DRIVER + sensor;
	}

	/** Before {@link markBoot}: the sensor whose driver was being called when the chip stopped; −1: none. */
	get interruptedDriver(): number {
		const mark = this.memory[this.ringStart - 1];
		return mark >= MARK_DRIVER && mark < MARK_DRIVER + this.sensors.length / SENSOR_REALS
			? mark - MARK_DRIVER
			: -1;
	}

	/** Before {@link markBoot}: whether the last run ended without {@link clearBootMark}. */
	get wasInterrupted(): boolean {
		return this.memory[this.ringStart - 1] !== MARK_ASLEEP;
	}

	private mark(value: number): void {
		this.memory[this.ringStart - 1] = value;
	}

	private generationOf(copy: number): number {
		const memory = this.memory;
		const at = copy * FIXED_SIZE + WORD_GENERATION * 4;
		return memory[at] | (memory[at + 1] << 8) | (memory[at + 2] << 16) | (memory[at + 3] << 24);
	}

	private load(copy: number): boolean {
		const { memory, words } = this;
		this.link.set(memory.subarray(copy * FIXED_SIZE, (copy + 1) * FIXED_SIZE));
		if (words[WORD_MAGIC] !== LAYOUT_MAGIC || words[WORD_SHAPE] !== ((LAYOUT_VERSION << 16) | this.shape))
			return false;
		if (words[WORD_SENSORS_HASH] !== this.sensorsHash || words[WORD_RING_SIZE] !== this.ringSize)
			return false;
		const sensors = this.variableBytes;
		const from = 2 * FIXED_SIZE + copy * sensors.length;
		sensors.set(memory.subarray(from, from + sensors.length));
		return this.checksumMatches(this.words) && this.indicesInRange();
	}

	/** Loads a header for another list of sensors: only its fixed part is usable. */
	private loadForeign(copy: number): boolean {
		const { memory, words } = this;
		this.link.set(memory.subarray(copy * FIXED_SIZE, (copy + 1) * FIXED_SIZE));
		const size = variableSize(words[WORD_SHAPE] & 0xffff);
		if (
			words[WORD_MAGIC] !== LAYOUT_MAGIC ||
			words[WORD_SHAPE] >>> 16 !== LAYOUT_VERSION ||
			2 * (FIXED_SIZE + size) >= memory.length
		)
			return false;
		const whole = new Uint8Array(FIXED_SIZE + size);
		whole.set(this.link);
		const from = 2 * FIXED_SIZE + copy * size;
		whole.set(memory.subarray(from, from + size), FIXED_SIZE);
		return this.checksumMatches(new Uint32Array(whole.buffer)) && this.indicesInRange();
	}

	private checksumMatches(all: Uint32Array): boolean {
		const checksum = all[WORD_CHECKSUM];
		all[WORD_CHECKSUM] = 0;
		return this.checksum(all) === checksum;
	}

	/** A valid checksum does not exclude bugs of this program: checks that all indices are within memory. */
	private indicesInRange(): boolean {
		const words = this.words;
		const size = words[WORD_RING_SIZE];
		return (
			words[WORD_RING_START] + size <= this.memory.length &&
			words[WORD_HEAD] < size &&
			words[WORD_USED] <= size
		);
	}

	/** Bytes before the ring. */
	private get ringStart(): number {
		return 2 * this.words.byteLength + 1;
	}

	private resetSensors(): void {
		const { sensors } = this;
		const { length } = sensors;
		for (let i = SENSOR_VALUE; i < length; i += SENSOR_REALS) sensors[i] = NaN;
	}
}
