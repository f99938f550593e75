import UDP from "embedded:io/socket/udp";
import storage from "embedded:storage/key-value";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import Timer from "timer";
import type { Timer as TimerClass, UDPConstructor } from "../../src/device";
import type { Host } from "../host";
import { CountedListener } from "../listener";
import { setClock } from "./clock";
import { chip, mac } from "./identity";
import { checksum, retained } from "./retained";
import { sleep } from "./sleep";
import { ChipTCP } from "./sockets";
import { WiFi } from "./wifi";

/*
 * Everything that the firmware takes from its platform on the ESP32; another host of this platform provides
 * the same.
 *
 * Modules of the SDK:
 *   embedded:io/socket/udp, embedded:storage/key-value, timer, net   (here)
 *   embedded:io/socket/tcp        (./sockets.ts)
 *   embedded:io/socket/listener   (../listener.ts)
 *   time, modules                 (../device.ts)
 *   mc/config                     (../settings.ts)
 *   driver/<name>                 (loaded by name through `modules`)
 *   platform/event                (optional, loaded by name: a host that counts events)
 *   firmware/light-sleep/light-sleep    (optional, loaded by name: ../light-sleep; its native function is
 *                                 xs_firefly_light_sleep())
 *   firmware/update/image-slots   (optional, loaded by name: ../update; its native functions are beside it)
 *   platform/stop                 (optional, loaded by name: a host that stops the firmware gracefully)
 *   global trace(text)
 * Native functions, in the C files beside this one:
 *   xs_firefly_retained(bytes)    a buffer over the first `bytes` bytes of the retained memory
 *   xs_firefly_checksum(buffer)   mix32() of src/sensor/retained/checksum.ts over a buffer's words
 *   xs_firefly_set_clock(s, µs)   sets the clock, seconds since 1970 and microseconds
 *   xs_firefly_deep_sleep(ms)     asynchronous: pending output is passed on first, then the chip sleeps
 *   xs_firefly_reset_reason()     esp_reset_reason_t as a number
 *   xs_firefly_wake_on(pin, level, pull)
 *                                 the next deep sleep ends when the pin has the level; resistor 0 none, 1 up,
 *                                 2 down
 *   xs_firefly_wake_pin()         the pin that has ended the last one, or -1; once
 *   xs_firefly_mac()              station address, a string of 12 lower-case hexadecimal digits
 *   xs_firefly_chip()             the chip's name, a string
 *   xs_firefly_network_hold()     lwIP's task stands still until
 *   xs_firefly_network_release()  … this, or for 100 ms
 *   xs_firefly_network_acknowledge_soon()
 *                                 TCP acknowledges within 10 ms for the next three seconds
 *   xs_firefly_wifi_join(ssid, password, link, callback)
 *                                 joins with a link (src/device.ts) or undefined; calls back later with a
 *                                 message and a detail
 *   xs_firefly_wifi_serve(ssid, password, channel, callback)
 *                                 opens an access point
 *   xs_firefly_wifi_link(link)    copies the link in use
 *   xs_firefly_wifi_stop()        stops the radio; no callback follows
 */
const host: Host = {
	chip,
	mac,
	tcp: ChipTCP,
	listener: CountedListener,
	udp: UDP as unknown as UDPConstructor,
	timer: Timer as unknown as TimerClass,
	wifi: WiFi,
	resolve: (name, callback) => Net.resolve(name, callback),
	clock: Object.freeze({ udp: UDP as unknown as UDPConstructor, set: setClock }),
	storage,
	sleep,
	retained,
	checksum,
	boot: (run) => run(),
};

export default Object.freeze(host);
