import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("analog", [], { analog: { voltage: 1200 } });
