import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownDeclarations } from "./declarations";
import { jsonSchema } from "./json-schema";

// Run after each change of src/config/fields or of a driver's declaration:
// node --import tsx cli/config/write-schema.ts
const drivers = ownDeclarations(fileURLToPath(new URL("../../firmware", import.meta.url)));
writeFileSync(new URL("../../docs/manifest.schema.json", import.meta.url), jsonSchema(drivers));
