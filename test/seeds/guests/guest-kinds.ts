import { Archivist } from "./archivist";
import type { Guest, GuestSurroundings } from "./guest";
import type { GuestKind } from "./guest-plan";
import { Measurer } from "./measurer";
import { Mortal } from "./mortal";
import { Restarter } from "./restarter";
import { Wanderer } from "./wanderer";

const KINDS: Readonly<Record<GuestKind, new (surroundings: GuestSurroundings) => Guest>> = {
	wanderer: Wanderer,
	mortal: Mortal,
	restarter: Restarter,
	archivist: Archivist,
	measurer: Measurer,
};

export function createGuest(surroundings: GuestSurroundings): Guest {
	return new KINDS[surroundings.plan.kind](surroundings);
}
