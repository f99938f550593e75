import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("battery", ["battery"]);
