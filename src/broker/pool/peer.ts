import { fnv1aOfText } from "../../text/fnv1a";
import { networkOf } from "../../text/ip-network";

/**
 * Bits of a peer that identify its network; the number of its user is in the bits above them. Two networks
 * with the same hash count as one, which is rare, and costs them only part of their shares.
 */
const NETWORK_BITS = 25;
const NETWORK_MASK = 2 ** NETWORK_BITS - 1;
const USER_FACTOR = 2 ** NETWORK_BITS;
/** Number of the user that the bridge is, above those of configured users. */
export const BRIDGE_USER = 127;

/**
 * The network of an address as a number: 0 if the platform does not know addresses. It is the same after a
 * restart, since stored sessions contain it.
 */
export function networkNumber(address: string | undefined): number {
	if (address === undefined) return 0;
	const hash = fnv1aOfText(networkOf(address));
	return 1 + (((hash ^ (hash >>> NETWORK_BITS)) & NETWORK_MASK) % NETWORK_MASK);
}

/**
 * Whoever shares places with others: a user on one network. Shares are counted by network first, so that one
 * host cannot use up those of all others, and by user where networks are equal, so that a user cannot do so
 * with many addresses.
 * @param user number of the user, 0 if anonymous @param network as networkNumber()
 */
export function peerOf(user: number, network: number): number {
	return user * USER_FACTOR + network;
}

/** The user's number of a peer. */
export function userOfPeer(peer: number): number {
	return peer >>> NETWORK_BITS;
}

/** The network of a peer. */
export function networkOfPeer(peer: number): number {
	return peer & NETWORK_MASK;
}
