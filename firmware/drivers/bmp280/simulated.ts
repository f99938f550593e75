import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("bmp280", ["thermometer", "barometer"]);
