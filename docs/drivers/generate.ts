/** Writes docs/drivers.md. Run after each change of a driver's declaration. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownDeclarations } from "../../cli/config/declarations";
import { renderPage } from "./page";

const firmware = fileURLToPath(new URL("../../firmware", import.meta.url));
writeFileSync(new URL("../drivers.md", import.meta.url), renderPage(ownDeclarations(firmware)));
