import { equalConstantTime } from "../../crypto/equal";
import { KEY_SIZE, PBKDF2 } from "../../crypto/pbkdf2";
import { SHA256 } from "../../crypto/sha256";
import type { TimerId } from "../../device";
import { BAD_USER_NAME_OR_PASSWORD, CONNECTION_RATE_EXCEEDED, SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { PENDING, type Verdict } from "../authority";
import type { Clock } from "../clock";
import { hash, SEED } from "../hash";
import type { Host } from "../host";
import { Failures } from "./failures";
import { SALT_SIZE, type Users } from "./users";

/** A turn ends after this many ms, so that the broker's other work has its turn. An iteration takes 28,000 computrons on XS. */
const SLICE = 10;
/** And after this many iterations, where the clock stands still meanwhile. */
const MOST = 512;
/** Pause between two turns, ms. */
const PAUSE = 1;
/** Bytes of the secret of one run. */
const SECRET = 16;

/**
 * Checks user names and passwords, one at a time, in small turns of a timer. A name that does not exist costs the work of one that does.
 *
 * A password that was right is recognised the next time by a hash that takes no time, keyed with a secret of this run and kept in memory only: a sensor that
 * reports each minute does not pay for the slow hash with its battery.
 */
export class Login {
	/** Whether a check is under way. */
	judging = false;
	verdict: Verdict = () => {};
	readonly #host: Pick<Host, "timer" | "time">;
	readonly #clock: Clock;
	readonly #users: Users;
	readonly #failures: Failures;
	readonly #slow = new PBKDF2();
	readonly #fast = new SHA256();
	readonly #secret = new Uint8Array(SECRET);
	/** The fast hash of each user's password; zeros until it was right once. */
	readonly #tags: Uint8Array;
	readonly #tag = new Uint8Array(KEY_SIZE);
	readonly #key = new Uint8Array(KEY_SIZE);
	#timer: TimerId | undefined;
	#connection = 0;
	#address: string | undefined;
	#user = 0;
	/** The user whose salt and iterations are used: another one where the name does not exist. */
	#double = 0;

	/** @param addresses whose failures are remembered */
	constructor(host: Pick<Host, "timer" | "time">, clock: Clock, users: Users, addresses: number) {
		this.#host = host;
		this.#clock = clock;
		this.#users = users;
		this.#failures = new Failures(addresses);
		this.#tags = new Uint8Array((users.count + 1) * KEY_SIZE);
		for (let i = 0; i < SECRET; i++) this.#secret[i] = Math.floor(Math.random() * 256);
	}

	/** @returns SUCCESS, the reason code of the refusal, or PENDING: then `verdict` is called later */
	check(packet: Packet, connection: number, address: string | undefined): number {
		const users = this.#users;
		const { bytes, usernameStart, usernameEnd } = packet;
		if (this.#failures.wait(address, this.#clock.now) > 0) return CONNECTION_RATE_EXCEEDED;
		const start = packet.hasPassword ? packet.passwordStart : 0;
		const end = packet.hasPassword ? packet.passwordEnd : 0;
		const user = users.find(bytes, usernameStart, usernameEnd);
		const double = user !== 0 ? user : 1 + ((hash(bytes, usernameStart, usernameEnd, SEED) >>> 0) % users.count);
		const tag = this.#tag;
		this.#fast.reset().update(this.#secret, 0, SECRET).update(bytes, start, end).digest(tag, 0);
		this.#fast.clear();
		const known = equalConstantTime(tag, 0, KEY_SIZE, this.#tags, double * KEY_SIZE);
		if (known && user !== 0) return SUCCESS;
		const salt = double * SALT_SIZE;
		this.#slow.start(bytes, start, end, users.salts, salt, salt + SALT_SIZE, users.iterations[double]);
		this.#connection = connection;
		this.#address = address;
		this.#user = user;
		this.#double = double;
		this.judging = true;
		const { timer } = this.#host;
		if (this.#timer === undefined) this.#timer = timer.set(() => this.turn(), PAUSE, PAUSE);
		else timer.schedule(this.#timer, PAUSE, PAUSE);
		return PENDING;
	}

	private turn(): void {
		if (!this.judging) return;
		const { time, timer } = this.#host;
		const begun = time.ticks;
		let left = MOST;
		while (!this.#slow.step(1)) if (--left === 0 || time.delta(begun) >= SLICE) return;
		timer.schedule(this.#timer!);
		this.finish();
	}

	private finish(): void {
		const key = this.#key;
		this.#slow.digest(key, 0);
		const right = equalConstantTime(key, 0, KEY_SIZE, this.#users.keys, this.#double * KEY_SIZE) && this.#user !== 0;
		key.fill(0);
		if (right) this.#tags.set(this.#tag, this.#user * KEY_SIZE);
		else {
			this.#clock.tick();
			this.#failures.add(this.#address, this.#clock.now);
		}
		this.#tag.fill(0);
		this.#address = undefined;
		this.judging = false;
		this.verdict(this.#connection, right ? SUCCESS : BAD_USER_NAME_OR_PASSWORD);
	}
}
