import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("ina219", [], { electricity: { voltage: 12.6, current: 0.4, power: 5.04 } });
