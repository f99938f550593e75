import { equalConstantTime } from "../../crypto/constant-time";
import { KEY_SIZE, PBKDF2 } from "../../crypto/pbkdf2";
import { SHA256 } from "../../crypto/sha256";
import type { TimerId } from "../../device";
import { BAD_USER_NAME_OR_PASSWORD, CONNECTION_RATE_EXCEEDED, SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { FNV_SEED, fnv1a } from "../../text/fnv1a";
import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";
import { type AuthResultHandler, PENDING } from "./authorizer";
import { LoginFailures } from "./login-failures";
import { SALT_SIZE, type Users } from "./users";

/**
 * Longest time slice, ms, so that it does not delay the broker's other work. One iteration takes 28,000
 * computrons on XS.
 */
const SLICE_MS = 10;
/** Most iterations in a slice, in case the clock does not advance meanwhile. */
const MAX_ITERATIONS_PER_SLICE = 512;
/** Pause between two slices, ms. */
const PAUSE_MS = 1;
/** Bytes of the secret, which is new in each run. */
const SECRET_SIZE = 16;

/**
 * Checks user names and passwords, one at a time, in short slices driven by a timer. An unknown user name
 * costs as much work as a known one.
 *
 * After a correct login, a fast hash of the password, keyed with a secret of this run, is kept in memory
 * only. It is compared first at the next login, so that a sensor that reports each minute does not spend its
 * battery on waiting for the slow hash.
 */
export class Login {
	/** Whether a check is in progress. */
	authenticating = false;
	onAuthResult: AuthResultHandler = () => {};
	readonly #host: Pick<Host, "timer" | "time">;
	readonly #clock: BrokerClock;
	readonly #users: Users;
	readonly #failures: LoginFailures;
	readonly #pbkdf2 = new PBKDF2();
	readonly #sha256 = new SHA256();
	readonly #secret = new Uint8Array(SECRET_SIZE);
	/** The fast hash of each user's password; zeros until the first correct login. */
	readonly #fastHashes: Uint8Array;
	readonly #fastHash = new Uint8Array(KEY_SIZE);
	readonly #key = new Uint8Array(KEY_SIZE);
	#timer: TimerId | undefined;
	#connection = 0;
	#address: string | undefined;
	#user = 0;
	/** The user whose salt and iterations are used: a substitute if the name does not exist. */
	#saltUser = 0;

	/** @param addresses entries in the table of failed logins */
	constructor(host: Pick<Host, "timer" | "time">, clock: BrokerClock, users: Users, addresses: number) {
		this.#host = host;
		this.#clock = clock;
		this.#users = users;
		this.#failures = new LoginFailures(addresses);
		this.#fastHashes = new Uint8Array((users.count + 1) * KEY_SIZE);
		for (let i = 0; i < SECRET_SIZE; i++) this.#secret[i] = Math.floor(Math.random() * 256);
	}

	/** @returns SUCCESS, the reason code of the refusal, or PENDING: then `onAuthResult` is called later */
	check(packet: Packet, connection: number, address: string | undefined): number {
		const users = this.#users;
		const { bytes, usernameStart, usernameEnd } = packet;
		if (this.#failures.remainingDelayMs(address, this.#clock.nowMs) > 0) return CONNECTION_RATE_EXCEEDED;
		const start = packet.hasPassword ? packet.passwordStart : 0;
		const end = packet.hasPassword ? packet.passwordEnd : 0;
		const user = users.find(bytes, usernameStart, usernameEnd);
		const saltUser =
			user !== 0 ? user : 1 + ((fnv1a(bytes, usernameStart, usernameEnd, FNV_SEED) >>> 0) % users.count);
		const fastHash = this.#fastHash;
		this.#sha256.reset().update(this.#secret, 0, SECRET_SIZE).update(bytes, start, end).digest(fastHash, 0);
		this.#sha256.clear();
		const known = equalConstantTime(fastHash, 0, KEY_SIZE, this.#fastHashes, saltUser * KEY_SIZE);
		if (known && user !== 0) return SUCCESS;
		const salt = saltUser * SALT_SIZE;
		this.#pbkdf2.start(bytes, start, end, users.salts, salt, salt + SALT_SIZE, users.iterations[saltUser]);
		this.#connection = connection;
		this.#address = address;
		this.#user = user;
		this.#saltUser = saltUser;
		this.authenticating = true;
		const { timer } = this.#host;
		if (this.#timer === undefined) this.#timer = timer.set(() => this.runSlice(), PAUSE_MS, PAUSE_MS);
		else timer.schedule(this.#timer, PAUSE_MS, PAUSE_MS);
		return PENDING;
	}

	private runSlice(): void {
		if (!this.authenticating) return;
		const { time, timer } = this.#host;
		const startedAt = time.ticks;
		let iterationsLeft = MAX_ITERATIONS_PER_SLICE;
		while (!this.#pbkdf2.step(1)) if (--iterationsLeft === 0 || time.delta(startedAt) >= SLICE_MS) return;
		timer.schedule(this.#timer!);
		this.finish();
	}

	private finish(): void {
		const key = this.#key;
		this.#pbkdf2.digest(key, 0);
		const correct =
			equalConstantTime(key, 0, KEY_SIZE, this.#users.keys, this.#saltUser * KEY_SIZE) && this.#user !== 0;
		key.fill(0);
		if (correct) this.#fastHashes.set(this.#fastHash, this.#user * KEY_SIZE);
		else {
			this.#clock.tick();
			this.#failures.add(this.#address, this.#clock.nowMs);
		}
		this.#fastHash.fill(0);
		this.#address = undefined;
		this.authenticating = false;
		this.onAuthResult(this.#connection, correct ? SUCCESS : BAD_USER_NAME_OR_PASSWORD);
	}
}
