/** The same settings with some others: they are views of the configuration, which a spread does not copy. */
export function changed<Base extends object>(
	base: Base,
	changes: { readonly [key in keyof Base]?: Base[key] | undefined },
): Base {
	return Object.create(base, Object.getOwnPropertyDescriptors(changes)) as Base;
}
