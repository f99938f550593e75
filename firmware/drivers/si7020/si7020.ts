import Sensor from "embedded:sensor/Humidity-Temperature/SI7020";
import { busDriver } from "../sensor-bus";

/** `thermometer.temperature` in °C, `hygrometer.humidity` in percent. */
export default busDriver(Sensor);
