import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("bme68x", ["thermometer", "hygrometer", "barometer"]);
