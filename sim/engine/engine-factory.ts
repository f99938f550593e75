import type { BuildOptions } from "../xs/index";
import type { Engine } from "./engine";

export type EngineName = Engine["name"];

/** Creates the engine of that name. @param build how XS is built, once on a machine */
export async function createEngine(name: EngineName, build?: BuildOptions): Promise<Engine> {
	if (name === "node") return (await import("./node")).nodeEngine;
	return (await import("./xs")).xsEngine(build);
}
