/** The images: their manifests in firmware/, and the module that stands for `firmware/roles`. */
export const IMAGES = [
	{ name: "manifest.json", roles: "firmware/roles" },
	{ name: "manifest_sensor.json", roles: "firmware/roles-sensor" },
	{ name: "manifest_broker.json", roles: "firmware/roles-broker" },
] as const;

/** mcconfig's platforms that run mcsim; all include firmware/desktop/manifest.json. */
export const DESKTOP_PLATFORMS = ["lin", "mac", "win"] as const;
