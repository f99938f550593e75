#!/usr/bin/env node
// tsx transpiles the TypeScript sources and ignores a tsconfig.json in the working directory.
import { register } from "tsx/esm/api";

register({ tsconfig: false });
const { main } = await import("./main.ts");
await main(process.argv);
