import { parseAuthority } from "../../config/url";

/** Longest URL of an image, characters. */
export const URL_LIMIT = 200;

const SCHEME = "http://";
const DEFAULT_PORT = 80;

/** Where an image is. */
export interface ImageURL {
	/** Name or address. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** As in the Host field (RFC 9110 §7.2). */
	readonly authority: string;
	/** Path and query, from the slash on. */
	readonly path: string;
}

/** Parses `http://host[:port]/path`. @returns a description of the problem if it is invalid */
export function parseImageURL(url: unknown): ImageURL | string {
	if (typeof url !== "string") return "url is not a text";
	if (url.length > URL_LIMIT) return `url has ${url.length} characters; at most ${URL_LIMIT} are allowed`;
	if (url.startsWith("https://")) return "url: https is not possible; sha256 protects an image over http";
	if (!url.startsWith(SCHEME)) return "url does not begin with http://";
	for (const character of url)
		if (character <= " " || character > "~" || character === "#") return "url has an impossible character";
	const rest = url.slice(SCHEME.length);
	const slash = rest.indexOf("/");
	const authority = slash < 0 ? rest : rest.slice(0, slash);
	if (authority.includes("@")) return "url holds a user name, which is not possible";
	const address = parseAuthority(authority, DEFAULT_PORT);
	if (typeof address === "string") return `url ${address}`;
	const { host, port } = address;
	return { host, port, authority, path: slash < 0 ? "/" : rest.slice(slash) };
}
