import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("tmp117", ["thermometer"]);
