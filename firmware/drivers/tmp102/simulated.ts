import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("tmp102", ["thermometer"]);
