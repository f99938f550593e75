import { isColdStart, panelControls } from "./panel";

/** Created at run time: a set of a preloaded module is read-only. */
let announced: Set<string> | undefined;

/** The reading that a slider of the panel holds; undefined: none was moved. */
export function panelReading(property: string): number | undefined {
	return panelControls().readings[property];
}

/** Prints, once and not at each wake, that a driver has no hardware here. */
export function announceSimulation(driver: string): void {
	announced ??= new Set();
	if (!isColdStart() || announced.has(driver)) return;
	announced.add(driver);
	trace(`firefly: ${driver} is simulated: its values come from the panel\n`);
}
