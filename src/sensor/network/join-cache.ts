import { LINK_ADDRESS, LINK_CHANNEL, LINK_LEASE, LINK_SIZE } from "../../device";
import { NINE, ZERO } from "../../text/ascii";
import { REAL_LEASE_END, REAL_SCAN_DUE, WORD_BROKER_ADDRESS } from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";

/*
 * What a join may take from the last one: access point, address, and the broker's address. Whether it is true
 * any more only a connection shows, so that a try with it counts as a trial until the broker has answered.
 */

/** Longest use, in ms, of an address, and of an access point without a scan for a better one. */
const LONGEST_USE_MS = 86_400_000;
/**
 * Part of a lease for which its address is used. RFC 2131 (4.4.5) rebinds then; the rest covers what a clock
 * without a crystal is wrong after a long sleep.
 */
const LEASE_PART = 7 / 8;

/** Whether the access point is known. */
export function knowsAccessPoint({ link }: RetainedState): boolean {
	return link[LINK_CHANNEL] !== 0;
}

/** Whether an address is known. */
export function knowsAddress({ link }: RetainedState): boolean {
	return isSet(link, LINK_ADDRESS);
}

/** Forgets everything: the next join scans all channels, asks for an address, and looks up the broker. */
export function forgetLink({ link }: RetainedState): void {
	link.fill(0, 0, LINK_SIZE + 4);
}

/** Forgets the addresses, and keeps the access point: the time since the last connection is unknown. */
export function forgetAddresses({ link }: RetainedState): void {
	link.fill(0, LINK_ADDRESS, LINK_SIZE + 4);
}

/** Forgets what must not be used at this time. Call before a join. @param now node time */
export function forgetExpired(retained: RetainedState, now: number): void {
	const reals = retained.reals;
	if (now >= reals[REAL_SCAN_DUE]) forgetLink(retained);
	else if (now >= reals[REAL_LEASE_END]) forgetAddresses(retained);
}

/**
 * Call once the host has an address and has written the link.
 * @param scanned whether the access point was looked for on all channels
 * @param leased whether the address was assigned on this join
 * @param now node time
 */
export function recordLink(retained: RetainedState, scanned: boolean, leased: boolean, now: number): void {
	const { link, reals } = retained;
	if (scanned) reals[REAL_SCAN_DUE] = now + LONGEST_USE_MS;
	if (!leased) return;
	const seconds =
		link[LINK_LEASE] +
		link[LINK_LEASE + 1] * 0x100 +
		link[LINK_LEASE + 2] * 0x1_0000 +
		link[LINK_LEASE + 3] * 0x100_0000;
	const useMs = seconds * 1000 * LEASE_PART;
	reals[REAL_LEASE_END] = now + (useMs < LONGEST_USE_MS ? useMs : LONGEST_USE_MS);
}

/** The broker's address as text; undefined: unknown. */
export function brokerAddress({ link, words }: RetainedState): string | undefined {
	if (words[WORD_BROKER_ADDRESS] === 0) return undefined;
	return `${link[LINK_SIZE]}.${link[LINK_SIZE + 1]}.${link[LINK_SIZE + 2]}.${link[LINK_SIZE + 3]}`;
}

/** Whether a host is an address, which needs no look-up: no domain ends in a digit (RFC 3696, 2). */
export function isAddress(host: string): boolean {
	const last = host.charCodeAt(host.length - 1);
	return last >= ZERO && last <= NINE;
}

/** Keeps the broker's address if it is an IPv4 one. */
export function recordBrokerAddress({ link, words }: RetainedState, address: string): void {
	const numbers = address.split(".");
	words[WORD_BROKER_ADDRESS] = 0;
	if (numbers.length !== 4) return;
	for (let i = 0; i < 4; i++) link[LINK_SIZE + i] = Number(numbers[i]);
}

function isSet(link: Uint8Array, at: number): boolean {
	return (link[at] | link[at + 1] | link[at + 2] | link[at + 3]) !== 0;
}
