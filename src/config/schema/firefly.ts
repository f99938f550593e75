import { fireflyFields } from "../fields/firefly";
import { objectSchema } from "./field-schema";

/** `config.firefly` of a manifest. */
export const FireflyConfig = objectSchema(fireflyFields, {
	title: "Firefly",
	description: "What this device is, and how it reports.",
});
