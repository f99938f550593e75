import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import VirtualSensor from "../../firmware/drivers/virtual/virtual";

interface Sample {
	thermometer: { temperature: number };
	hygrometer: { humidity: number };
	barometer: { pressure: number };
	battery: { voltage: number };
}

function sampleAt(time: number, options = {}): Sample {
	mock.timers.reset();
	mock.timers.enable({ apis: ["Date"], now: time });
	return new VirtualSensor(options).sample() as Sample;
}

test("the virtual sensor returns the same at the same time, within the range of its quantities", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.integer(), (time, seed) => {
			const sample = sampleAt(time, { seed });
			assert.deepEqual(sampleAt(time, { seed }), sample);
			const { thermometer, hygrometer, barometer, battery } = sample;
			assert.ok(Math.abs(thermometer.temperature - 20) <= 4.15);
			assert.ok(hygrometer.humidity >= 0 && hygrometer.humidity <= 100);
			assert.ok(Math.abs(barometer.pressure - 101_325) <= 312);
			assert.ok(Math.abs(battery.voltage - 3.9) <= 0.01);
		}),
	);
	mock.timers.reset();
});

test("afternoons are warmer than nights, and another seed gives other noise", () => {
	const afternoon = sampleAt(Date.UTC(2026, 5, 1, 15));
	assert.ok(
		afternoon.thermometer.temperature > sampleAt(Date.UTC(2026, 5, 1, 3)).thermometer.temperature + 7,
	);
	assert.notDeepEqual(sampleAt(Date.UTC(2026, 5, 1, 15), { seed: 2 }), afternoon);
	mock.timers.reset();
});
