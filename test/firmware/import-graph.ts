import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Graph {
	/** Project files, relative to the repository, without extension. */
	readonly files: ReadonlySet<string>;
	/** Bare specifiers, which the SDK and the manifest provide. */
	readonly bare: ReadonlySet<string>;
}

/**
 * Finds everything that `entry` imports at run time; type imports do not count.
 * @param entry relative to the repository, without extension
 * @param platform stands in for `firmware/platform/host`
 * @param roles stands in for `firmware/roles`
 */
export async function importGraph(
	entry: string,
	platform?: string,
	roles = "firmware/roles",
): Promise<Graph> {
	const files = new Set<string>();
	const bare = new Set<string>();
	await build({
		entryPoints: [join(root, `${entry}.ts`)],
		bundle: true,
		write: false,
		format: "esm",
		logLevel: "silent",
		plugins: [
			{
				name: "graph",
				setup({ onResolve }) {
					onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
						let file: string;
						if (kind === "entry-point") file = path;
						else if (path === "./roles") file = join(root, `${roles}.ts`);
						else if (path.startsWith(".")) file = `${join(dirname(importer), path)}.ts`;
						else if (path === "firmware/platform/host" && platform) file = join(root, `${platform}.ts`);
						else {
							bare.add(path);
							return { path, external: true };
						}
						files.add(relative(root, file).replace(/\.ts$/, ""));
						return { path: file };
					});
				},
			},
		],
	});
	return { files, bare };
}
