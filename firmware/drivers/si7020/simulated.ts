import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("si7020", ["thermometer", "hygrometer"]);
