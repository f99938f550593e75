import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ownDeclarations } from "../../cli/config/declarations";
import { meantDriver } from "../../cli/config/meant-driver";
import { projectFolder } from "../../sim/cache/folder.mjs";

const own = ownDeclarations(join(projectFolder, "firmware"));
const titles = new Map([...own].map(([name, { title }]) => [name, title] as const));

for (const [text, driver] of [
	["sht31", "sht3x"],
	["SHT35", "sht3x"],
	["sht3xd", "sht3x"],
	["si7021", "si7020"],
	["bme680_bsec", "bme68x"],
	["bme688", "bme68x"],
	["bmp280_i2c", "bmp280"],
	["bme280_i2c", "bme280"],
	["sht40", "sht4x"],
	["SHT45", "sht4x"],
	["scd41", "scd4x"],
	["bh1750fvi", "bh1750"],
	["bpm280", "bmp280"],
	["lm75a", "lm75"],
	["htu21", "htu21d"],
	["adc", "analog"],
	["gpio", "digital"],
	["virtaul", "virtual"],
	["digitel", "digital"],
] as const)
	test(`"${text}": ${driver} is meant`, () => assert.equal(meantDriver(text, titles), driver));

for (const text of ["bmp180", "bmp388", "sht20", "ina226", "tmp112", "aht20", "dht22", "ds18s20", "x"])
	test(`"${text}", a part that no driver is for: none is suggested`, () =>
		assert.equal(meantDriver(text, titles), undefined));
