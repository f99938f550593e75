import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("scd4x", ["thermometer", "hygrometer"], { airQuality: { CO2: 650 } });
