#!/usr/bin/env node
/** Starts the command line: the package's bundle, or in a checkout that of the sources as they are now. */
import { existsSync } from "node:fs";
import { isCheckout } from "../sim/cache/folder.mjs";

if (process.env.FIREFLY_DEBUG) process.setSourceMapsEnabled(true);
const packed = new URL("../dist/main.js", import.meta.url);
try {
	const url =
		!isCheckout && existsSync(packed)
			? packed.href
			: await (await import("./bundle/checkout.mjs")).checkoutBundle();
	const { main } = await import(url);
	await main(process.argv);
} catch (error) {
	process.stderr.write(`firefly: ${error instanceof Error ? error.message : String(error)}\n`);
	if (process.env.FIREFLY_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
	process.exitCode = 1;
}
