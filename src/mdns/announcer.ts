import type { Datagram, Device, TimerId, UDP } from "../device";
import { AnswerQueue } from "./answer-queue";
import { FLAG_TRUNCATED, MDNS_GROUP, MDNS_PORT } from "./constants";
import { ipv4 } from "./ipv4";
import { MessageContent } from "./message-content";
import { MessageReader } from "./message-reader";
import { MessageSender } from "./message-sender";
import { instanceName, NAME_HOST, Names } from "./names";
import { type RecordSet, Records, type Service } from "./records";
import { losesTie } from "./tie-break";

/** What an announcer needs of its host. */
export interface AnnouncerDevice extends Pick<Device, "timer" | "time"> {
	readonly udp: NonNullable<Device["udp"]>;
}

export interface Announcement {
	/** Label of the host's name: "firefly" for `firefly.local`. */
	readonly host: string;
	/** Name of the services, for people. */
	readonly instance: string;
	/** At most three. */
	readonly services: readonly Service[];
	/**
	 * Other programs of this host have the port too, and answers by unicast would reach one of them: probes do
	 * not ask for these (RFC 6762 §15.1).
	 */
	readonly sharesPort?: boolean;
	/** The host's name is claimed and announced, without ".local"; it has a number if another host has it. */
	onAnnounced?(host: string): void;
}

// Probing and announcing (RFC 6762 §8.1, §8.3)
const PROBES = 3;
const PROBE_INTERVAL_MS = 250;
const ANNOUNCEMENTS = 2;
const ANNOUNCEMENT_INTERVAL_MS = 1000;
/** Wait of the host that loses a tie (§8.2). */
const TIE_DELAY_MS = 1000;
/** So many conflicts, each within a time of the last one, slow down probing to one try in a time (§8.1). */
const MANY_CONFLICTS = 15;
const CONFLICT_MEMORY_MS = 10_000;
const CONFLICT_DELAY_MS = 5000;
// Wait before records are sent that others may have too (§6), and for further known answers (§7.2)
const SHARED_DELAY_MS = 20;
const SHARED_JITTER_MS = 100;
const TRUNCATED_DELAY_MS = 400;
const TRUNCATED_JITTER_MS = 100;
/** Answers by unicast within a second, at most: beyond, all get them, and plain resolvers none. */
const UNICAST_LIMIT = 16;
const UNICAST_LIMIT_MS = 1000;
/** Repetition of a timer that is scheduled again whenever it is needed; its callback does nothing then. */
const IDLE_MS = 3_600_000;

const STOPPED = 0;
const PROBING = 1;
const ANNOUNCING = 2;
const ANNOUNCED = 3;
type Phase = typeof STOPPED | typeof PROBING | typeof ANNOUNCING | typeof ANNOUNCED;

/**
 * Announces a host and its services by Multicast DNS (RFC 6762) and DNS-SD (RFC 6763) on one network, and
 * answers questions for them. IPv4 only. All buffers are allocated at construction; what a host's UDP
 * socket returns, it allocates.
 */
export class Announcer {
	#device: AnnouncerDevice;
	#names: Names;
	#records: Records;
	#content: MessageContent;
	#sender: MessageSender;
	#queue: AnswerQueue;
	#onAnnounced: Announcement["onAnnounced"];
	#socket: UDP | undefined;
	#mask = 0;
	#phase: Phase = STOPPED;
	/** Probes or announcements that are left in this phase. */
	#left = 0;
	#phaseTimer: TimerId | undefined;
	#answerTimer: TimerId | undefined;
	#conflicts = 0;
	#lastConflictAt = 0;
	#unicasts = 0;
	#unicastsSince = 0;

	constructor(
		device: AnnouncerDevice,
		{ host, instance, services, sharesPort = false, onAnnounced }: Announcement,
	) {
		this.#device = device;
		const types: string[] = [];
		for (let i = 0; i < services.length; i++) types.push(services[i].type);
		this.#names = new Names(host, instance, types);
		this.#records = new Records(this.#names, services);
		this.#content = new MessageContent(this.#records);
		this.#sender = new MessageSender(this.#names, this.#records, sharesPort);
		this.#queue = new AnswerQueue(device.time, this.#records.count);
		this.#onAnnounced = onAnnounced;
	}

	/**
	 * Joins the group and claims the names: at start, and whenever the host has joined a network.
	 * @param address IPv4 address of the host, 32 bits @param mask of its network
	 * @throws errors of the host's socket, such as that the port is in use
	 */
	start(address: number, mask: number): void {
		this.#close();
		this.#records.address = address;
		this.#mask = mask;
		const socket = new this.#device.udp.io({
			port: MDNS_PORT,
			timeToLive: 255,
			onReadable: () => this.#receive(),
		});
		try {
			socket.add?.(MDNS_GROUP);
		} catch (error) {
			socket.close();
			throw error;
		}
		this.#socket = socket;
		this.#queue.clear();
		this.#probe(Math.random() * PROBE_INTERVAL_MS);
	}

	/** Says goodbye, so that others forget the host at once (RFC 6762 §10.1). */
	stop(): void {
		const owned = this.#phase === ANNOUNCING || this.#phase === ANNOUNCED;
		if (this.#socket !== undefined && owned) this.#sender.goodbye(this.#socket, this.#records.ending);
		this.#close();
	}

	#close(): void {
		const { timer } = this.#device;
		timer.clear(this.#phaseTimer);
		timer.clear(this.#answerTimer);
		this.#phaseTimer = this.#answerTimer = undefined;
		this.#phase = STOPPED;
		this.#socket?.close();
		this.#socket = undefined;
	}

	/** Claims the names. */
	#probe(delayMs: number): void {
		this.#phase = PROBING;
		this.#left = PROBES;
		this.#setPhaseTimer(delayMs);
	}

	#onPhase(): void {
		if (this.#socket === undefined) return;
		if (this.#left > 0) {
			this.#left--;
			if (this.#phase === PROBING) {
				this.#sender.probe(this.#socket);
				this.#setPhaseTimer(PROBE_INTERVAL_MS);
			} else {
				this.#queue.add(this.#records.announced, 0);
				this.#sendAnswers();
				this.#setPhaseTimer(ANNOUNCEMENT_INTERVAL_MS);
			}
		} else if (this.#phase === PROBING) {
			this.#phase = ANNOUNCING;
			this.#left = ANNOUNCEMENTS;
			this.#onPhase();
			this.#onAnnounced?.(this.#names.host);
		} else if (this.#phase === ANNOUNCING) {
			this.#phase = ANNOUNCED;
			// A timer that is never cleared must not come again.
			this.#device.timer.clear(this.#phaseTimer);
			this.#phaseTimer = undefined;
		}
	}

	#receive(): void {
		for (let datagram = this.#socket?.read(); datagram !== undefined; datagram = this.#socket?.read())
			this.#onDatagram(datagram);
	}

	#onDatagram(datagram: Datagram): void {
		const { address, port } = datagram;
		const source = ipv4(address);
		// Nobody beyond this network is answered or believed (RFC 6762 §11).
		if (Number.isNaN(source) || ((source ^ this.#records.address) & this.#mask) !== 0 || port === 0) return;
		const content = this.#content;
		if (content.read(new Uint8Array(datagram))) {
			if (!content.reader.isResponse) this.#onQuery(source, address, port);
			else if (port === MDNS_PORT) this.#onResponse();
		}
		content.reader.end();
	}

	#onQuery(source: number, address: string, port: number): void {
		const content = this.#content;
		if (this.#phase === PROBING) {
			if (content.isProbe && this.#left < PROBES && this.#losesTie()) this.#probe(TIE_DELAY_MS);
			return;
		}
		const queue = this.#queue;
		if (port !== MDNS_PORT) {
			const wanted = (content.wanted | content.wantedByUnicast) & ~this.#records.typeLists;
			if (wanted !== 0 && this.#mayUnicast())
				this.#sender.toLegacy(this.#socket!, content, wanted, address, port);
			return;
		}
		queue.removeKnown(content.known, source);
		// What was not sent to all for long, all get again (RFC 6762 §5.4).
		let toAll = content.wanted;
		let toOne = 0;
		for (let i = 0; i < this.#records.count; i++) {
			if ((content.wantedByUnicast & (1 << i)) === 0) continue;
			if (queue.sentWithin(i, this.#records.ttlOf(i) * 250)) toOne |= 1 << i;
			else toAll |= 1 << i;
		}
		// Nobody can exhaust what defends a name: all get the answer then, which is limited by itself.
		if (toOne !== 0 && !this.#mayUnicast()) toAll |= toOne;
		else if (toOne !== 0)
			this.#sender.toOne(this.#socket!, toOne, this.#records.additional(toOne), address, port);
		if (toAll === 0) return;
		const truncated = (content.reader.flags & FLAG_TRUNCATED) !== 0;
		const shared = toAll & this.#records.shared;
		if (content.isProbe) queue.defend(toAll & ~shared);
		if (!truncated || !queue.hold(toAll, source, TRUNCATED_DELAY_MS + Math.random() * TRUNCATED_JITTER_MS))
			queue.add(toAll, shared === 0 ? 0 : SHARED_DELAY_MS + Math.random() * SHARED_JITTER_MS);
		this.#sendAnswers();
	}

	#onResponse(): void {
		const { hostConflict, instanceConflict, present, endangered } = this.#content;
		if (hostConflict || instanceConflict) {
			this.#onConflict(hostConflict, instanceConflict);
			return;
		}
		if (this.#phase === PROBING) return;
		this.#queue.removeAnswered(present & this.#records.shared);
		this.#queue.add(endangered & this.#records.announced, 0);
		this.#sendAnswers();
	}

	/** Whether another host that probes for the same name at this time gets it. */
	#losesTie(): boolean {
		const names = this.#names;
		const ours = new MessageReader();
		this.#sender.readSent(ours);
		const theirs = this.#content.reader;
		if (losesTie(names, NAME_HOST, ours, theirs)) return true;
		for (let name = instanceName(0); name < names.count; name += 2)
			if (losesTie(names, name, ours, theirs)) return true;
		return false;
	}

	/** Another host has a name (RFC 6762 §9): who had announced it probes again, who probes takes another. */
	#onConflict(host: boolean, instance: boolean): void {
		const { time } = this.#device;
		const age = time.delta(this.#lastConflictAt);
		this.#conflicts = age >= 0 && age < CONFLICT_MEMORY_MS ? this.#conflicts + 1 : 1;
		this.#lastConflictAt = time.ticks;
		if (this.#phase === PROBING) {
			if (host) this.#names.renameHost();
			if (instance) this.#names.renameInstance();
		}
		this.#queue.drop();
		this.#probe(this.#conflicts < MANY_CONFLICTS ? 0 : CONFLICT_DELAY_MS);
	}

	#mayUnicast(): boolean {
		const { time } = this.#device;
		const age = time.delta(this.#unicastsSince);
		if (age < 0 || age >= UNICAST_LIMIT_MS) {
			this.#unicastsSince = time.ticks;
			this.#unicasts = 0;
		}
		return ++this.#unicasts <= UNICAST_LIMIT;
	}

	#sendAnswers(): void {
		const answers = this.#queue.take();
		if (answers !== 0) this.#sendToAll(answers);
		const wait = this.#queue.wait();
		if (wait >= 0) this.#setAnswerTimer(wait);
	}

	#sendToAll(records: RecordSet): void {
		const queue = this.#queue;
		let additional = this.#records.additional(records);
		for (let i = 0; i < this.#records.count; i++)
			if (queue.sentWithin(i, ANNOUNCEMENT_INTERVAL_MS)) additional &= ~(1 << i);
		this.#sender.toAll(this.#socket!, records, additional);
		queue.onSent(records | additional);
	}

	#setPhaseTimer(delayMs: number): void {
		const { timer } = this.#device;
		const delay = Math.ceil(delayMs);
		if (this.#phaseTimer === undefined)
			this.#phaseTimer = timer.set(() => this.#onPhase(), delay, PROBE_INTERVAL_MS);
		else timer.schedule(this.#phaseTimer, delay, PROBE_INTERVAL_MS);
	}

	#setAnswerTimer(delayMs: number): void {
		const { timer } = this.#device;
		const delay = Math.max(1, Math.ceil(delayMs));
		if (this.#answerTimer === undefined)
			this.#answerTimer = timer.set(() => this.#onAnswerTimer(), delay, IDLE_MS);
		else timer.schedule(this.#answerTimer, delay, IDLE_MS);
	}

	#onAnswerTimer(): void {
		if (this.#socket !== undefined && this.#phase !== PROBING) this.#sendAnswers();
	}
}
