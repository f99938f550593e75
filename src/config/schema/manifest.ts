import type { TSchema } from "typebox";
import * as Type from "typebox";
import { strict } from "./field-schema";
import { FireflyConfig } from "./firefly";

const table = (description: string) =>
	Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description }));
const anything = (description: string) => Type.Optional(Type.Unknown({ description }));

/** Keys of mcconfig in a manifest and in each entry of `platforms`; Firefly uses `modules` only. */
const moddable: Readonly<Record<string, TSchema>> = {
	creation: table("Memory of the XS machine."),
	modules: table("Modules by the name they are imported under."),
	preload: anything("Modules that run at build time and stay in flash."),
	strip: anything("Built-ins to leave out."),
	defines: table("Constants for C."),
	resources: table("Images, fonts, sounds."),
	data: table("Files to embed."),
	typescript: table("TypeScript compiler and options."),
	ble: table("Bluetooth services."),
	recipes: table("Make recipes."),
	run: table("Used by mcrun."),
	zephyrConfig: table("Zephyr only."),
	zephyrShields: table("Zephyr only."),
	zephyrOverlay: table("Zephyr only."),
	ffi: table("Foreign functions."),
	commonjs: anything("Modules in CommonJS format."),
	dependency: anything("ESP-IDF components."),
	components: anything("ESP-IDF components."),
	error: anything("Stops the build with this message."),
	warning: anything("Printed by the build."),
};

const Config = Type.Object(
	{ firefly: Type.Optional(FireflyConfig) },
	{ description: "Read on the device as mc/config." },
);

const Platform = Type.Object(
	{ include: anything("Manifests merged for this target only."), config: Type.Optional(Config), ...moddable },
	{ description: "For one target." },
);

/** A Moddable manifest. mcconfig ignores keys that it does not know, so all known ones are listed here. */
export const Manifest = Type.Object(
	{
		$schema: Type.Optional(Type.String({ description: "Where editors find the schema of this file." })),
		build: table("Variables for paths in this file."),
		include: anything("Manifests to merge in, relative to this file."),
		config: Type.Optional(Config),
		...moddable,
		platforms: Type.Optional(
			Type.Record(Type.String(), Platform, {
				description: "What differs by target: esp32, esp32/nodemcu, lin …",
			}),
		),
		bundle: table("For mcbundle."),
	},
	{
		...strict,
		title: "Firefly manifest",
		description: "A Moddable manifest; Firefly is configured under config.firefly.",
	},
);
