import { readFileSync } from "node:fs";

const source = readFileSync(new URL("../../../src/broker/delivery/sys-topics.ts", import.meta.url), "utf8");

/** The topics below `$SYS/broker/` for which the source has a row. */
export const sysTopicNames: readonly string[] = [...source.matchAll(/^\t\["(broker\/[\w/]+)", /gm)].map(
	([, name]) => `$SYS/${name}`,
);
