import Sensor from "embedded:sensor/Humidity-Temperature/SHT3x";
import { busDriver } from "../sensor-bus";

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent; a value with a wrong checksum is left
 * out.
 */
export default busDriver(Sensor);
