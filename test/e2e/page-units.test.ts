import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Units } from "../../web/units";

const DEVICE_TOPIC = "homeassistant/device/shed/config";

function unitsOf(units: Units, topic: string): object {
	return Object.fromEntries(units.of(topic));
}

describe("units that devices announce", () => {
	test("a device of Home Assistant, abbreviated: bare values and members of JSON", () => {
		const units = new Units();
		const text = JSON.stringify({
			dev: { ids: ["shed"] },
			cmps: {
				t: { p: "sensor", stat_t: "home/shed/t", unit_of_meas: "°C" },
				h: {
					p: "sensor",
					stat_t: "home/shed",
					unit_of_meas: "%",
					val_tpl: "{{value_json['h']|default('')}}",
				},
				p: { p: "sensor", stat_t: "home/shed", unit_of_meas: "Pa", val_tpl: "{{ value_json.p }}" },
				door: { p: "binary_sensor", stat_t: "home/shed/door" },
				gone: { p: "sensor" },
			},
		});
		assert.equal(units.read(DEVICE_TOPIC, text), 3);
		assert.deepEqual(unitsOf(units, "home/shed/t"), { "": "°C" });
		assert.deepEqual(unitsOf(units, "home/shed"), { h: "%", p: "Pa" });
		assert.deepEqual(unitsOf(units, "home/shed/door"), {});
	});

	test("values that are on or off: what is sent for each, of bare values and members of JSON", () => {
		const units = new Units();
		const text = JSON.stringify({
			cmps: {
				door: { p: "binary_sensor", stat_t: "home/door", pl_on: "1", pl_off: "0" },
				hall: { p: "binary_sensor", stat_t: "hall", val_tpl: "{{value_json['m']}}", pl_on: "1", pl_off: "0" },
				half: { p: "binary_sensor", stat_t: "home/half", pl_on: "1" },
			},
		});
		assert.equal(units.read(DEVICE_TOPIC, text), 2);
		assert.deepEqual(unitsOf(units, "home/door"), { "": ["1", "0"] });
		assert.deepEqual(unitsOf(units, "hall"), { m: ["1", "0"] });
		assert.deepEqual(unitsOf(units, "home/half"), {});
		const whole = { state_topic: "gate", payload_on: "OPEN", payload_off: "SHUT" };
		units.read("homeassistant/binary_sensor/gate/config", JSON.stringify(whole));
		assert.deepEqual(unitsOf(units, "gate"), { "": ["OPEN", "SHUT"] });
	});

	test("one component with whole keys, a base topic and a template of the value", () => {
		const units = new Units();
		const text = JSON.stringify({
			"~": "zigbee/hall",
			state_topic: "~/t",
			unit_of_measurement: "°F",
			value_template: "{{ value | float }}",
		});
		assert.equal(units.read("homeassistant/sensor/hall/t/config", text), 1);
		assert.deepEqual(unitsOf(units, "zigbee/hall/t"), { "": "°F" });
	});

	test("a template that computes: no unit is claimed for what the value is not", () => {
		const units = new Units();
		const part = { state_topic: "a", unit_of_measurement: "W", value_template: "{{ value_json.a * 2 }}" };
		assert.equal(units.read("homeassistant/sensor/x/config", JSON.stringify(part)), 0);
		assert.deepEqual(unitsOf(units, "a"), {});
	});

	test("Homie 5, and 4 with a topic for each attribute", () => {
		const units = new Units();
		const text = JSON.stringify({
			homie: "5.0",
			nodes: {
				sensors: { properties: { t: { datatype: "float", unit: "°C" }, on: { datatype: "boolean" } } },
			},
		});
		units.read("homie/5/shed/$description", text);
		assert.deepEqual(unitsOf(units, "homie/5/shed/sensors/t"), { "": "°C" });
		assert.deepEqual(unitsOf(units, "homie/5/shed/sensors/on"), {});
		units.read("homie/hall/climate/hum/$unit", "%");
		assert.deepEqual(unitsOf(units, "homie/hall/climate/hum"), { "": "%" });
	});

	test("a description that changes or is taken back: its topics lose their units", () => {
		const units = new Units();
		const text = (topic: string): string => JSON.stringify({ stat_t: topic, unit_of_meas: "m" });
		units.read("x/config", text("a"));
		units.read("x/config", text("b"));
		assert.deepEqual([unitsOf(units, "a"), unitsOf(units, "b")], [{}, { "": "m" }]);
		units.read("x/config", "");
		assert.deepEqual(unitsOf(units, "b"), {});
	});

	test("settings of other programs are no descriptions", () => {
		const units = new Units();
		for (const text of ["7", "null", "[]", "{}", "on", '{"interval": 7}', '{"stat_t": 7}'])
			assert.equal(units.read("device/config", text), undefined, text);
	});

	test("any JSON from any client: units are short texts, and nothing fails", () => {
		const key = fc.constantFrom(
			..."cmps components stat_t state_topic unit_of_meas unit_of_measurement pl_on pl_off val_tpl ~ nodes properties unit __proto__".split(
				" ",
			),
		);
		const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
			tree: fc.oneof(
				{ maxDepth: 5 },
				fc.string({ maxLength: 40 }),
				fc.constantFrom(null, 7, true),
				fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
				fc.array(tie("tree"), { maxLength: 3 }),
			),
		}));
		const topic = fc.constantFrom("a/config", "a/$description", "a/$unit", "config", "a");
		fc.assert(
			fc.property(fc.array(fc.tuple(topic, tree), { maxLength: 5 }), (messages) => {
				const units = new Units();
				for (const [name, message] of messages) units.read(name, JSON.stringify(message));
				for (const [, message] of messages)
					for (const part of JSON.stringify(message).split('"'))
						for (const unit of units.of(part).values())
							assert.ok(typeof unit === "string" ? unit.length <= 16 : unit.length === 2);
			}),
		);
	});
});
