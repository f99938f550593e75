import { existsSync } from "node:fs";
import {
	type DriverDeclaration,
	declarationPath,
	type PropertyDeclaration,
	readDeclaration,
} from "./driver-declaration";
import type { Manifest } from "./manifest-reader";
import { declaredModules } from "./modules";

/** A sensor of the configuration. */
interface ConfiguredSensor {
	readonly driver: string;
	readonly property: readonly string[];
}

/** What the driver of each sensor declares of the property that it reads; undefined where it does not. */
export function declaredProperties(
	manifest: Manifest,
	sensors: readonly ConfiguredSensor[],
): readonly (PropertyDeclaration | undefined)[] {
	const modules = declaredModules(manifest);
	const declarations = new Map<string, DriverDeclaration | undefined>();
	return sensors.map(({ driver, property }) => {
		if (!declarations.has(driver)) {
			const module = modules.get(`driver/${driver}`);
			const path = module && declarationPath(module.path);
			declarations.set(driver, path !== undefined && existsSync(path) ? readDeclaration(path) : undefined);
		}
		return declarations.get(driver)?.properties[property.join(".")];
	});
}
