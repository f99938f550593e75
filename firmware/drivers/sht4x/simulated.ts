import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("sht4x", ["thermometer", "hygrometer"]);
