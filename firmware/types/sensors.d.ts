/** The SDK's sensor classes, ECMA-419 sensor class pattern; the SDK has no types of its own for them. */
declare module "embedded:sensor/*" {
	const Sensor: import("../../src/device").SensorConstructor;
	export default Sensor;
}
