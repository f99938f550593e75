import { Option } from "commander";
import type { PcapFile } from "../sim/capture/pcap-file";
import { Failure } from "./failure";

export function packetsOption(): Option {
	return new Option(
		"--packets",
		"print each MQTT packet, decoded, on one line: → to the broker, ← to the client",
	);
}

export function pcapOption(): Option {
	return new Option(
		"--pcap <file>",
		"write a capture that Wireshark and tshark open; it contains passwords and whatever else is sent",
	);
}

/** Creates a capture file. */
export async function openPcap(path: string): Promise<PcapFile> {
	const { PcapFile } = await import("../sim/capture/pcap-file");
	const problem = (error: unknown): string =>
		`--pcap ${path}: ${error instanceof Error ? error.message : String(error)}`;
	try {
		return new PcapFile(path, (error) => process.stderr.write(`${problem(error)}; the capture ends here\n`));
	} catch (error) {
		throw new Failure(problem(error));
	}
}
