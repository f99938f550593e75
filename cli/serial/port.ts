import { accessSync, constants, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, join } from "node:path";
import { Failure } from "../failure";

/** Names of serial ports that boards have: bridges and the chips' own USB. */
const BOARD_PORTS = /^(ttyUSB|ttyACM|cu\.(usb|SLAB|wchusb))/;

/** Serial ports of this computer that may be a board's. */
export function boardPorts(folder = "/dev"): readonly string[] {
	if (process.platform === "win32") return [];
	return readdirSync(folder)
		.filter((name) => BOARD_PORTS.test(name))
		.sort()
		.map((name) => join(folder, name));
}

/**
 * Checks that a serial port can be used.
 * @param port as a person writes it; undefined: not at all
 * @throws {Failure} that says what is wrong, and what to do
 */
export function requirePort(port: string | undefined): string {
	if (port === undefined) throw new Failure(`--port is needed${portAdvice()}`);
	if (process.platform === "win32") {
		if (/^(\\\\\.\\)?COM\d+$/i.test(port)) return port;
		throw new Failure(`${port} is no serial port: they are called COM1, COM2 …`);
	}
	const stats = statSync(port, { throwIfNoEntry: false });
	if (stats === undefined) throw new Failure(`there is no ${port}${portAdvice()}`);
	if (!stats.isCharacterDevice() || isOfOtherKind(stats.rdev))
		throw new Failure(`${port} is no serial port${portAdvice()}`);
	try {
		accessSync(port, constants.R_OK | constants.W_OK);
	} catch {
		throw new Failure(permissionText(port, groupName(stats.gid), userInfo().username));
	}
	const holder = portHolder(port);
	if (holder !== undefined)
		throw new Failure(`${port} is in use by ${holder.name}, process ${holder.pid}: end that program first`);
	return port;
}

/** Whether a character device is none of the kernel's terminals, such as /dev/null; not opened for that. */
function isOfOtherKind(rdev: number): boolean {
	const major = (rdev >> 8) & 0xfff;
	const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
	try {
		return basename(readlinkSync(`/sys/dev/char/${major}:${minor}/subsystem`)) !== "tty";
	} catch {
		// No Linux, or a pseudo-terminal.
		return false;
	}
}

function portAdvice(): string {
	const ports = boardPorts();
	if (ports.length > 0) return `; boards may be at ${ports.join(", ")}`;
	return process.platform === "win32"
		? ": the device manager lists them, as COM3"
		: "; no board is connected: is it plugged in, with a cable that carries data?";
}

/** What a user does who may not use a port. */
export function permissionText(port: string, group: string | undefined, user: string): string {
	if (group === undefined || group === "root") return `${user} may not read and write ${port}`;
	return `${user} may not read and write ${port}, which belongs to the group ${group}: sudo usermod -aG ${group} ${user}, then log in again`;
}

function groupName(gid: number): string | undefined {
	try {
		const lines = readFileSync("/etc/group", "utf8").split("\n");
		return lines.map((line) => line.split(":")).find(([, , id]) => id === String(gid))?.[0];
	} catch {
		return undefined;
	}
}

/** Another program that has opened a port, on Linux, as far as this user may know. */
function portHolder(port: string): { readonly pid: number; readonly name: string } | undefined {
	if (process.platform !== "linux") return undefined;
	const { rdev } = statSync(port);
	for (const entry of readdirSync("/proc")) {
		const pid = Number(entry);
		if (!Number.isInteger(pid) || pid === process.pid || !holds(pid, rdev)) continue;
		return { pid, name: processName(pid) };
	}
	return undefined;
}

function holds(pid: number, rdev: number): boolean {
	const folder = `/proc/${pid}/fd`;
	try {
		return readdirSync(folder).some((name) => {
			const target = readlinkSync(join(folder, name));
			if (!target.startsWith("/dev/")) return false;
			const stats = statSync(target, { throwIfNoEntry: false });
			return stats?.isCharacterDevice() === true && stats.rdev === rdev;
		});
	} catch {
		// Another user's, or ended meanwhile.
		return false;
	}
}

function processName(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
	} catch {
		return "a program";
	}
}
