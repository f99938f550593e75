import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("lm75", ["thermometer"]);
