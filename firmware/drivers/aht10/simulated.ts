import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("aht10", ["thermometer", "hygrometer"]);
