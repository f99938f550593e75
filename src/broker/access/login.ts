import { equalConstantTime } from "../../crypto/constant-time";
import { KEY_SIZE, PBKDF2 } from "../../crypto/pbkdf2";
import { SHA256 } from "../../crypto/sha256";
import type { TimerId } from "../../device";
import { BAD_USER_NAME_OR_PASSWORD, CONNECTION_RATE_EXCEEDED, SUCCESS } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { FNV_SEED, fnv1a } from "../../text/fnv1a";
import type { BrokerClock } from "../pool/clock";
import type { Host } from "../pool/host";
import { networkOfPeer, peerOf, userOfPeer } from "../pool/peer";
import { type AuthResult, type AuthResultHandler, PENDING } from "./authorizer";
import { GuessLimit } from "./guess-limit";
import { LoginFailures } from "./login-failures";
import { ProvenPeers } from "./proven-peers";
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
/**
 * Logins of a proven peer that are compared with the fast hash per second although its network has to wait:
 * enough for its clients, too few to guess a password by the cheap comparison.
 */
const PROVEN_CHECKS_PER_SECOND = 8;
/** Bytes of the secret, which is new in each run. */
const SECRET_SIZE = 16;

/**
 * Checks user names and passwords, one at a time, in short slices driven by a timer. An unknown user name
 * costs as much work as a known one.
 *
 * After a correct login, a fast hash of the password, keyed with a secret of this run, is kept in memory
 * only. It is compared first at the next login, so that a sensor that reports each minute does not spend its
 * battery on waiting for the slow hash.
 *
 * Guesses are limited without locking anybody out:
 *
 * - A network that has sent several different wrong passwords has to wait (see LoginFailures). The correct
 *   password is nevertheless accepted at once from a network from which its user has logged in before, and a
 *   wrong one that is only repeated neither counts nor costs work.
 * - Wrong passwords from changing addresses are checked at a limited rate (see GuessLimit). Meanwhile logins
 *   wait, and are not refused, so that the correct one from a new address has its turn; those from networks
 *   with a correct login do not wait.
 *
 * After a restart the peers of the stored sessions still count as proven. The fast hashes are gone: the first
 * login of each user takes the slow one, and from a network that has to wait it is refused until then.
 */
export class Login {
	/** Whether a check is in progress. */
	authenticating = false;
	onAuthResult: AuthResultHandler = () => {};
	readonly #host: Pick<Host, "timer" | "time">;
	readonly #clock: BrokerClock;
	readonly #users: Users;
	readonly #failures: LoginFailures;
	readonly #proven: ProvenPeers;
	readonly #guessLimit = new GuessLimit();
	/** Until then only proven networks are served, ms of the broker's clock. */
	#pausedUntilMs = 0;
	/** The present second, and the logins compared in it that had to wait otherwise. */
	#provenSecond = 0;
	#provenChecks = 0;
	readonly #pbkdf2 = new PBKDF2();
	readonly #sha256 = new SHA256();
	readonly #secret = new Uint8Array(SECRET_SIZE);
	/** The fast hash of each user's password; zeros until the first correct login. */
	readonly #fastHashes: Uint8Array;
	readonly #fastHash = new Uint8Array(KEY_SIZE);
	readonly #key = new Uint8Array(KEY_SIZE);
	#timer: TimerId | undefined;
	#connection = 0;
	#network = 0;
	/** Of the user name and password that is being checked. */
	#fingerprint = 0;
	#user = 0;
	/** The user whose salt and iterations are used: a substitute if the name does not exist. */
	#saltUser = 0;

	/** @param addresses entries in the tables of wrong and of correct logins */
	constructor(host: Pick<Host, "timer" | "time">, clock: BrokerClock, users: Users, addresses: number) {
		this.#host = host;
		this.#clock = clock;
		this.#users = users;
		this.#failures = new LoginFailures(addresses);
		this.#proven = new ProvenPeers(addresses);
		this.#fastHashes = new Uint8Array((users.count + 1) * KEY_SIZE);
		for (let i = 0; i < SECRET_SIZE; i++) this.#secret[i] = Math.floor(Math.random() * 256);
	}

	/** If the result is PENDING, `onAuthResult` is called later. */
	check(packet: Packet, connection: number, network: number): AuthResult | typeof PENDING {
		const users = this.#users;
		const { nowMs } = this.#clock;
		const { bytes, usernameStart, usernameEnd } = packet;
		const start = packet.hasPassword ? packet.passwordStart : 0;
		const end = packet.hasPassword ? packet.passwordEnd : 0;
		const user = users.find(bytes, usernameStart, usernameEnd);
		const delayed = this.#failures.remainingDelayMs(network, nowMs) > 0;
		if (delayed && !(this.#proven.has(peerOf(user, network)) && this.countProvenCheck()))
			return CONNECTION_RATE_EXCEEDED;
		const nameHash = fnv1a(bytes, usernameStart, usernameEnd, FNV_SEED);
		const saltUser = user !== 0 ? user : 1 + ((nameHash >>> 0) % users.count);
		const fastHash = this.#fastHash;
		this.#sha256.reset().update(this.#secret, 0, SECRET_SIZE).update(bytes, start, end).digest(fastHash, 0);
		this.#sha256.clear();
		const known = equalConstantTime(fastHash, 0, KEY_SIZE, this.#fastHashes, saltUser * KEY_SIZE);
		if (known && user !== 0) {
			this.#proven.add(peerOf(user, network));
			return SUCCESS;
		}
		if (delayed) return CONNECTION_RATE_EXCEEDED;
		const fingerprint = fnv1a(fastHash, 0, KEY_SIZE, nameHash) >>> 0;
		if (this.#failures.isKnown(network, fingerprint, nowMs)) return BAD_USER_NAME_OR_PASSWORD;
		const salt = saltUser * SALT_SIZE;
		this.#pbkdf2.start(bytes, start, end, users.salts, salt, salt + SALT_SIZE, users.iterations[saltUser]);
		this.#connection = connection;
		this.#network = network;
		this.#fingerprint = fingerprint;
		this.#user = user;
		this.#saltUser = saltUser;
		this.authenticating = true;
		this.schedule(PAUSE_MS);
		return PENDING;
	}

	/** Whether a client of a network has to wait until logins are checked again. */
	mustWait(network: number): boolean {
		return (
			this.authenticating || (this.#clock.nowMs < this.#pausedUntilMs && !this.#proven.hasNetwork(network))
		);
	}

	/** Takes a peer for proven that has logged in before the broker was started again. */
	restorePeer(peer: number): void {
		if (userOfPeer(peer) !== 0 && networkOfPeer(peer) !== 0) this.#proven.add(peer);
	}

	/** Whether a user has logged in correctly from a network. */
	isProven(network: number): boolean {
		return this.#proven.hasNetwork(network);
	}

	private schedule(delayMs: number): void {
		const { timer } = this.#host;
		if (this.#timer === undefined) this.#timer = timer.set(() => this.onTimer(), delayMs, delayMs);
		else timer.schedule(this.#timer, delayMs, delayMs);
	}

	private onTimer(): void {
		if (this.authenticating) {
			this.runSlice();
			return;
		}
		this.#host.timer.schedule(this.#timer!);
		this.#pausedUntilMs = 0;
		this.onAuthResult(0, PENDING);
	}

	/** Counts a comparison for a proven peer; false if there were too many in this second. */
	private countProvenCheck(): boolean {
		const second = Math.floor(this.#clock.nowMs / 1000);
		if (second !== this.#provenSecond) this.#provenChecks = 0;
		this.#provenSecond = second;
		return ++this.#provenChecks <= PROVEN_CHECKS_PER_SECOND;
	}

	private runSlice(): void {
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
		this.#clock.tick();
		const { nowMs } = this.#clock;
		if (correct) {
			this.#fastHashes.set(this.#fastHash, this.#user * KEY_SIZE);
			this.#proven.add(peerOf(this.#user, this.#network));
		} else {
			this.#failures.add(this.#network, this.#fingerprint, nowMs);
			this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + this.#guessLimit.add(nowMs));
		}
		this.#fastHash.fill(0);
		this.authenticating = false;
		if (this.#pausedUntilMs > nowMs) this.schedule(this.#pausedUntilMs - nowMs);
		this.onAuthResult(this.#connection, correct ? SUCCESS : BAD_USER_NAME_OR_PASSWORD);
	}
}
