import type { ConnectionFailure } from "../fault";

// What goes wrong with TLS, in the same words on every host. What the user has to mend is `configuration`.

export function unknownAuthority(): ConnectionFailure {
	return configuration("the broker's certificate is not signed by the authority of tls.ca");
}

export function expiredCertificate(): ConnectionFailure {
	return configuration("the broker's certificate has expired");
}

export function futureCertificate(): ConnectionFailure {
	return configuration("the broker's certificate is not valid yet, or the clock is wrong");
}

export function wrongName(serverName: string): ConnectionFailure {
	return configuration(`the broker's certificate is not for ${serverName}`);
}

/** @param actual 64 hexadecimal digits */
export function wrongFingerprint(actual: string): ConnectionFailure {
	return configuration(`the broker's certificate has another fingerprint: ${actual}`);
}

export function unsetClock(): ConnectionFailure {
	return { fault: "resource", message: "the clock is not set: the dates of certificates cannot be checked" };
}

/** The broker asks for a certificate, or does not accept the one that it got. */
export function certificateRefused(hasCertificate: boolean): ConnectionFailure {
	return configuration(
		hasCertificate
			? "the broker does not accept the certificate of tls.certificate"
			: "the broker asks for a certificate: tls.certificate and tls.key are missing",
	);
}

export function unusableFile(name: string, problem: string): ConnectionFailure {
	return configuration(`tls: ${name} ${problem}`);
}

export function noTLS(): ConnectionFailure {
	return configuration("the broker does not speak TLS at this port");
}

export function handshakeFailure(detail: string): ConnectionFailure {
	return { fault: "peer", message: `the TLS handshake failed: ${detail}` };
}

/** After the handshake. */
export function brokenConnection(detail: string): ConnectionFailure {
	return { fault: "peer", message: `the TLS connection is broken: ${detail}` };
}

export function closedHandshake(): ConnectionFailure {
	return { fault: "transport", message: "the broker closed during the TLS handshake" };
}

/** 64 lower-case hexadecimal digits without colons. */
export function plainFingerprint(text: string): string {
	return text.replaceAll(":", "").toLowerCase();
}

function configuration(message: string): ConnectionFailure {
	return { fault: "configuration", message };
}
