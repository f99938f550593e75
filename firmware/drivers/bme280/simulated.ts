import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("bme280", ["thermometer", "hygrometer", "barometer"]);
