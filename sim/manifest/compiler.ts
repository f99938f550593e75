import {
	type BuildOptions,
	type BuildResult,
	build,
	type SameShape,
	stop,
	type TransformOptions,
	transformSync,
} from "esbuild";

/*
 * esbuild, whose process a terminal's Ctrl-C ends together with a run, before the run that it is compared
 * with is compiled: then it is started again.
 */

/** @throws esbuild's error with file and line */
export function transformSource(source: string, options: TransformOptions): { code: string; map: string } {
	try {
		return transformSync(source, options);
	} catch (error) {
		if (!hasEnded(error)) throw error;
		void stop();
		return transformSync(source, options);
	}
}

export async function bundleModules<T extends BuildOptions & { write: false }>(
	options: SameShape<BuildOptions, T>,
): Promise<BuildResult<T>> {
	try {
		return await build<T>(options);
	} catch (error) {
		if (!hasEnded(error)) throw error;
		await stop();
		return build<T>(options);
	}
}

/** Whether it had ended before the call; one that ends during a call was stopped. */
function hasEnded(error: unknown): boolean {
	return error instanceof Error && error.message.startsWith("The service is no longer running");
}
