import type { Progress } from "../xs/index";
import type { Engine } from "./engine";

export type EngineName = Engine["name"];

/** Creates the engine of that name. @param progress called while XS is built, once */
export async function createEngine(name: EngineName, progress?: Progress): Promise<Engine> {
	if (name === "node") return (await import("./node")).nodeEngine;
	return (await import("./xs")).xsEngine(progress);
}
