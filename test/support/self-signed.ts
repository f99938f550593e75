import { createSign, generateKeyPairSync } from "node:crypto";

/** A self-signed certificate for localhost and 127.0.0.1 (X.509 v3, RFC 5280), and its key, both in PEM. */
export function selfSigned(): { readonly certificate: string; readonly key: string } {
	const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const algorithm = sequence(ECDSA_WITH_SHA256);
	const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("localhost")))));
	const body = sequence(
		der(0xa0, der(0x02, Buffer.of(2))),
		der(0x02, Buffer.of(1)),
		algorithm,
		name,
		sequence(time(-1), time(1)),
		name,
		publicKey.export({ type: "spki", format: "der" }),
		der(
			0xa3,
			sequence(
				sequence(BASIC_CONSTRAINTS, der(0x04, sequence(der(0x01, Buffer.of(0xff))))),
				sequence(
					ALTERNATIVE_NAME,
					der(0x04, sequence(der(0x82, Buffer.from("localhost")), der(0x87, Buffer.of(127, 0, 0, 1)))),
				),
			),
		),
	);
	const signature = createSign("sha256").update(body).sign(privateKey);
	const certificate = sequence(body, algorithm, der(0x03, Buffer.of(0), signature));
	return {
		certificate: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
		key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
	};
}

// Object identifiers in DER
const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex");
const COMMON_NAME = Buffer.from("0603550403", "hex");
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const ALTERNATIVE_NAME = Buffer.from("0603551d11", "hex");

function der(tag: number, ...parts: Uint8Array[]): Buffer {
	const content = Buffer.concat(parts);
	const { length } = content;
	const size =
		length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: Uint8Array[]): Buffer {
	return der(0x30, ...parts);
}

/** UTCTime, in days from now. */
function time(days: number): Buffer {
	const date = new Date(Date.now() + days * 86_400_000);
	return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, "")}Z`));
}
