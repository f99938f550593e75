#!/usr/bin/env node
// The sources are TypeScript: tsx turns them into what Node runs, without regard to a tsconfig.json where the command is called.
import { register } from "tsx/esm/api";

register({ tsconfig: false });
const { main } = await import("./main.ts");
await main(process.argv);
