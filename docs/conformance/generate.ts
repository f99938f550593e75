/** Writes docs/conformance.md, and prints problems. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createConformanceReport } from "./report";
import { render } from "./table";

const root = fileURLToPath(new URL("../..", import.meta.url));
const result = createConformanceReport(root);
writeFileSync(new URL("../conformance.md", import.meta.url), render(result));
for (const line of result.unknown) console.error(`no such statement: ${line}`);
for (const line of result.gaps) console.error(`gap: ${line}`);
for (const line of result.resolvedPending) console.error(`no longer pending: ${line}`);
process.exitCode = result.unknown.length + result.gaps.length + result.resolvedPending.length > 0 ? 1 : 0;
