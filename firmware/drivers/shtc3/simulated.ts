import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("shtc3", ["thermometer", "hygrometer"]);
