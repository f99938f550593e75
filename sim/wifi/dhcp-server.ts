import type { Scheduler } from "../clock/scheduler";

/** An assigned address. */
export interface Lease {
	/** IPv4. */
	readonly address: string;
	readonly seconds: number;
}

/** Duration of a lease if nothing else is set, s: a usual value of home routers. */
export const DEFAULT_LEASE_SECONDS = 86_400;

/** The addresses of one network. */
export class DHCPServer {
	/** Of leases assigned from now on, s. */
	leaseSeconds = DEFAULT_LEASE_SECONDS;
	readonly #scheduler: Scheduler;
	/** Owner and end of the lease of each address. */
	readonly #leases = new Map<string, { readonly owner: string; readonly end: number }>();

	constructor(scheduler: Scheduler) {
		this.#scheduler = scheduler;
	}

	/** Assigns `preferred`, or a higher address if another has it. @param owner hexadecimal hardware address */
	assign(owner: string, preferred: string): Lease {
		let address = preferred;
		while (!this.#isFree(address, owner)) address = next(address);
		this.#leases.set(address, { owner, end: this.#scheduler.now + this.leaseSeconds * 1000 });
		return { address, seconds: this.leaseSeconds };
	}

	/** Whether `owner` may use an address now. */
	holds(owner: string, address: string): boolean {
		const lease = this.#leases.get(address);
		return lease !== undefined && lease.owner === owner && lease.end > this.#scheduler.now;
	}

	/** Another host takes an address, whoever has it. */
	take(address: string): void {
		this.#leases.set(address, { owner: "another", end: Infinity });
	}

	/** All leases are forgotten, as after a change of the network's addresses. */
	forget(): void {
		this.#leases.clear();
	}

	#isFree(address: string, owner: string): boolean {
		const lease = this.#leases.get(address);
		return lease === undefined || lease.owner === owner || lease.end <= this.#scheduler.now;
	}
}

function next(address: string): string {
	const numbers = address.split(".").map(Number);
	return [...numbers.slice(0, 3), (numbers[3]! % 254) + 1].join(".");
}
