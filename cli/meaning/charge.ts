import { BOOT_TIME_MS } from "../../sim/board/board";
import { DEFAULT_LATENCY_MS } from "../../sim/network/virtual";
import {
	currents,
	lightIdleMs,
	modemIdleMs,
	transmitMsPerByte,
	transmitOverheadBytes,
} from "../../sim/report/currents";
import { JOIN_TIMES, type Span } from "../../sim/wifi/access-point";
import type { Settings } from "../../src/config/settings";
import type { Day } from "./day";

const DAY_SECONDS = 86_400;
/** Flights of a report: SYN, CONNECT with PUBLISH, DISCONNECT, and the answer to each. */
const EXCHANGE_FLIGHTS = 6;
/** Flights of a report on an open connection. */
const REPORT_FLIGHTS = 2;
/** Segments that the node sends in it, with more than an acknowledgement of TCP. */
const EXCHANGE_SEGMENTS = 2;

/** mAh that the chip takes in a day, by the currents and times of the simulator. @param bytes of a report */
export function dailyCharge({ role, sleep, wifi }: Settings, day: Day, bytes: number): number {
	const joins = wifi !== undefined;
	const isLight = role === "sensor" && sleep.mode === "light";
	if (role !== "sensor" || sleep.mode !== "deep") {
		// An open connection keeps the radio on for a while after each traffic.
		const [idle, idleMs] = isLight ? [currents.lightSleep, lightIdleMs] : [currents.cpu, modemIdleMs];
		const activeMs = day.exchanges * (REPORT_FLIGHTS * DEFAULT_LATENCY_MS + idleMs);
		const active = Math.min(DAY_SECONDS, activeMs / 1000);
		return milliampereHours(DAY_SECONDS * idle + active * (currents.receive - idle));
	}
	const exchangeMs = EXCHANGE_FLIGHTS * DEFAULT_LATENCY_MS;
	const radioMs = day.exchanges * ((joins ? joinMs() : 0) + exchangeMs);
	const cpuMs = day.wakes * BOOT_TIME_MS + day.gathering;
	const reportsPerExchange = day.exchanges === 0 ? 0 : day.reports / day.exchanges;
	const sent = bytes * reportsPerExchange + EXCHANGE_SEGMENTS * transmitOverheadBytes;
	const sendingMs = day.exchanges * sent * transmitMsPerByte;
	const charge =
		radioMs * currents.receive +
		sendingMs * (currents.transmit - currents.receive) +
		cpuMs * currents.cpu +
		Math.max(0, DAY_SECONDS * 1000 - radioMs - cpuMs) * currents.deepSleep;
	return milliampereHours(charge / 1000);
}

/** A join with what is cached: no scan, no DHCP. */
function joinMs(): number {
	const { start, probe, association } = JOIN_TIMES;
	return [start, probe, association].reduce((sum, span) => sum + middle(span), 0);
}

function middle({ from, to }: Span): number {
	return (from + to) / 2;
}

/** @param charge mC */
function milliampereHours(charge: number): number {
	return charge / 3600;
}
