/*
 * What ESPHome, Tasmota, Home Assistant and other MQTT firmware call what Firefly has under another name.
 * ESPHome: esphome.io/components (mqtt, wifi, deep_sleep, sensor, i2c, time). Tasmota: tasmota.github.io
 * (Commands). Names are in lower case and without separators, as `plain` makes them.
 */

const EVERY = "sensors[].every";
const NAMES: Readonly<Record<string, readonly string[]>> = {
	broker: ["mqtt"],
	"broker.cleanStart": ["cleansession", "clean"],
	"broker.clientId": ["mqttclient", "clientname"],
	"broker.password": ["mqttpassword", "mqttpass"],
	"broker.url": [
		"mqtthost",
		"mqttport",
		"port",
		"mqttserver",
		"mqtturl",
		"server",
		"host",
		"hostaddress",
		"uri",
	],
	"broker.username": ["mqttuser", "mqttusername", "user", "login"],
	"broker.will": ["willmessage", "birthmessage", "lwt", "lastwill", "availability", "availabilitytopic"],
	diagnostics: ["debug", "telemetry", "state", "status", "health", "statistics", "selftest"],
	"sleep.awakeLimit": ["runduration", "reboottimeout", "awaketime", "maxawake"],
	"sleep.mode": ["deepsleep", "powersave", "powersavemode"],
	"sensors[].decimals": ["accuracydecimals", "precision", "round", "digits", "tempres", "humres", "pressres"],
	"sensors[].delta": ["deadband", "threshold", "hysteresis", "tolerance", "mindelta"],
	"sensors[].driver": ["platform", "model", "type", "component", "sensortype"],
	[EVERY]: [
		"updateinterval",
		"teleperiod",
		"scaninterval",
		"pollinterval",
		"interval",
		"period",
		"sleepduration",
		"deepsleeptime",
		"sleeptime",
		"refresh",
		"rate",
	],
	"sensors[].heartbeat": ["maxinterval", "forceupdate", "maxsilence", "expireafter"],
	"sensors[].options": ["i2c", "config", "settings", "parameters", "params"],
	"sensors[].options.address": ["address", "i2caddress"],
	"sensors[].options.clock": ["scl", "sclpin"],
	"sensors[].options.data": ["sda", "sdapin"],
	"sensors[].options.pin": ["pin", "gpio", "adcpin"],
	"sensors[].offset": ["tempoffset", "humoffset", "calibration", "bias", "correction"],
	"sensors[].property": ["field", "measurement", "valuetemplate", "path"],
	"sensors[].scale": ["multiply", "multiplier", "factor", "gain", "slope"],
	"sensors[].samples": ["windowsize", "averaging", "oversampling", "samplecount", "numsamples", "sendevery"],
	"sensors[].aggregate": [
		"filter",
		"function",
		"statistic",
		"method",
		"average",
		"slidingwindowmovingaverage",
		"throttleaverage",
		"median",
		"mean",
	],
	"sensors[].spacing": ["sampleinterval", "sampledelay", "gap", "sampletime"],
	"sensors[].table": [
		"calibratelinear",
		"calibratepolynomial",
		"datapoints",
		"calibrationpoints",
		"lookup",
		"curve",
	],
	"sensors[].unit": ["unitofmeasurement", "units", "uom"],
	"time.server": ["ntp", "ntpserver", "ntpserver1", "sntp", "servers", "timeserver"],
	"wifi.password": ["wifipassword", "password1", "psk", "passphrase", "wifipass"],
	"wifi.ssid": ["wifissid", "ssid1", "network", "networks", "wifiname"],
	id: ["name", "devicename", "device", "hostname", "friendlyname", "node", "nodeid", "nodename", "esphome"],
	sensors: ["sensor", "devices", "entities"],
	topic: ["topicprefix", "statetopic", "fulltopic", "grouptopic", "basetopic", "prefix", "topicname"],
	update: ["ota", "otaupdate", "firmwareupdate"],
	wifi: ["wlan"],
	listen: ["listener"],
};

const meanings = new Map(
	Object.entries(NAMES).flatMap(([path, names]) => names.map((name) => [name, path] as const)),
);

/** What has no counterpart, and why. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
	deviceclass: "the driver declares it, see docs/drivers.md",
	stateclass: "the driver declares what it measures, see docs/drivers.md",
	logger: "the console has all messages",
	api: "Home Assistant is reached by MQTT",
	webserver: "the status page is listen.webSocket of a broker",
	timezone: "times are in UTC",
	filters: "a sensor has table, scale, offset, samples with aggregate, delta and heartbeat",
};

/** A key without case and separators. */
function plain(key: string): string {
	return key.toLowerCase().replace(/[-_ ]/g, "");
}

/** Path below `config.firefly` of what is meant by a foreign name; undefined for an unknown one. */
export function foreignMeaning(key: string): string | undefined {
	return meanings.get(plain(key));
}

/** Why there is nothing for a foreign name. */
export function foreignExplanation(key: string): string | undefined {
	const name = plain(key);
	return Object.hasOwn(EXPLANATIONS, name) ? EXPLANATIONS[name] : undefined;
}

/** All paths that foreign names lead to. */
export const foreignTargets: readonly string[] = Object.keys(NAMES);
