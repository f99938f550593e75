import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("sht3x", ["thermometer", "hygrometer"]);
