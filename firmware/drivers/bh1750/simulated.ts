import { simulatedSensor } from "../simulated-sensor";

export default simulatedSensor("bh1750", [], { lightmeter: { illuminance: 300 } });
