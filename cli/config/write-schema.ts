import { writeFileSync } from "node:fs";
import { jsonSchema } from "./json-schema";

// Run after each change of src/config/fields: node --import tsx cli/config/write-schema.ts
writeFileSync(new URL("../../docs/manifest.schema.json", import.meta.url), jsonSchema());
