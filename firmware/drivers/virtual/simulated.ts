import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("virtual", ["thermometer", "hygrometer", "barometer", "battery"]);
