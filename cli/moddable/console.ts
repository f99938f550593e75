/*
 * What the SDK's xsbug-log prints is for a terminal: prompts and their escape sequences, and lines about its
 * connections.
 */
const ESCAPE = String.fromCharCode(27);
const DECORATION = new RegExp(`\\(xsdb\\) |${ESCAPE}\\[2K|${ESCAPE}\\[0G|\\r`, "g");
const OWN_LINE =
	/^(xsdb listening on port|xsdb: no command line arguments|\[Thread \d+\] Connected to|#xsbug-log (dis)?connected)/;

/** Whether xsbug-log says with this line that programs can connect. */
export function isReady(line: string): boolean {
	return line.replace(DECORATION, "").startsWith("xsdb listening on port");
}

/** The firmware's own text in a line of xsbug-log; undefined if there is none. */
export function firmwareLine(line: string): string | undefined {
	const text = line.replace(DECORATION, "").replace(/^\[Thread \d+\] (?!Connected)/, "");
	return text.trim() === "" || OWN_LINE.test(text) ? undefined : text;
}
