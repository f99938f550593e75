import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("htu21d", ["thermometer", "hygrometer"]);
