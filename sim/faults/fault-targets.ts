import type { Fault } from "./fault";
import { FAULT_KINDS, type FaultKind } from "./fault-kinds";
import type { FaultTarget } from "./world";

/** A fault names a board that the run does not have, or that it cannot concern. */
export class FaultTargetError extends Error {
	override readonly name = "FaultTargetError";
	readonly fault: Fault;
	/** Names that would do. */
	readonly known: readonly string[];

	constructor(fault: Fault, message: string, known: readonly string[]) {
		super(message);
		this.fault = fault;
		this.known = known;
	}
}

/**
 * The boards that a fault concerns; undefined in place of one: the whole network.
 * @throws FaultTargetError
 */
export function targetsOf<Target extends FaultTarget>(
	fault: Fault,
	boards: readonly Target[],
): readonly (Target | undefined)[] {
	const { scope, onNetwork } = kindOf(fault);
	if (scope === "network") {
		if (fault.board === undefined) return [undefined];
		throw new FaultTargetError(fault, `${fault.name} concerns the whole network, and no board`, []);
	}
	const targets = boards.filter((board) => (fault.board ?? defaultName(scope, board)) === board.name);
	if (targets.length === 0)
		throw new FaultTargetError(fault, missingText(fault, scope, boards), namesOf(boards));
	if (!onNetwork || targets.every(({ isVirtual }) => isVirtual)) return targets;
	throw new FaultTargetError(fault, `${fault.name}: the network is not part of this simulation`, []);
}

export function kindOf({ name }: Fault): FaultKind {
	const kind = FAULT_KINDS[name];
	if (kind === undefined) throw new Error(`there is no fault ${name}`);
	return kind;
}

/** The board's own name if a fault concerns it that names none. */
function defaultName(
	scope: "sensors" | "broker",
	{ name, hasSensors, hasBroker }: FaultTarget,
): string | undefined {
	return (scope === "broker" ? hasBroker : hasSensors) ? name : undefined;
}

function missingText({ name, board }: Fault, scope: string, boards: readonly FaultTarget[]): string {
	if (board !== undefined)
		return `there is no board ${board}; there ${boards.length === 1 ? "is" : "are"} ${namesOf(boards).join(", ")}`;
	return `${name}: ${scope === "broker" ? "the broker is not part of this simulation" : "there is no node with sensors"}`;
}

function namesOf(boards: readonly FaultTarget[]): string[] {
	return boards.map(({ name }) => name);
}
