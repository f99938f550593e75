import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("ds18b20", ["thermometer"]);
