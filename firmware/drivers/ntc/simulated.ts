import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("ntc", ["thermometer"]);
