import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("ccs811", [], { airQuality: { eCO2: 650, TVOC: 120 } });
