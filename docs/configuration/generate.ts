/** Writes docs/configuration.md. Run after each change of src/config/fields. */
import { writeFileSync } from "node:fs";
import { renderPage } from "./page";

writeFileSync(new URL("../configuration.md", import.meta.url), renderPage());
