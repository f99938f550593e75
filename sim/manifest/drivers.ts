/**
 * Generates the driver that replaces every sensor: an object with a getter at the path of each property that
 * the configuration reads. Reading allocates nothing.
 * @param paths properties by number
 */
export function driverSource(paths: readonly (readonly string[])[]): string {
	const root: PropertyTree = { leaves: new Map(), branches: new Map() };
	paths.forEach((path, index) => {
		let branch = root;
		for (const name of path.slice(0, -1)) {
			let next = branch.branches.get(name);
			if (!next) {
				next = { leaves: new Map(), branches: new Map() };
				branch.branches.set(name, next);
			}
			branch = next;
		}
		branch.leaves.set(path[path.length - 1]!, index);
	});
	const classes: string[] = [];
	const top = writeClass(root, classes);
	return `${TEXT_OF_SOURCE}${classes.join("")}export default class {
	#reading;
	constructor(options) {
		const instance = native("sim_sensor_open").call(undefined, textOf(options));
		this.#reading = new ${top}(instance);
	}
	configure() {}
	sample() {
		return this.#reading;
	}
	close() {}
}
`;
}

/** JSON.stringify of XS fails on objects in ROM, such as the configuration. */
const TEXT_OF_SOURCE = `function textOf(value) {
	if (typeof value !== "object" || value === null) return JSON.stringify(value);
	const names = Object.keys(value);
	let text = "";
	for (let i = 0; i < names.length; i++) {
		if (i > 0) text += ",";
		text += JSON.stringify(names[i]) + ":" + textOf(value[names[i]]);
	}
	return "{" + text + "}";
}
`;

interface PropertyTree {
	readonly leaves: Map<string, number>;
	readonly branches: Map<string, PropertyTree>;
}

function writeClass(branch: PropertyTree, classes: string[]): string {
	const made: string[] = [];
	for (const [name, child] of branch.branches)
		made.push(`\t\tthis[${JSON.stringify(name)}] = new ${writeClass(child, classes)}(instance);\n`);
	const getters: string[] = [];
	for (const [name, index] of branch.leaves) {
		getters.push(
			`\tget [${JSON.stringify(name)}]() {\n\t\treturn native("sim_sensor_read").call(undefined, this.#instance, ${index});\n\t}\n`,
		);
	}
	const name = `Reading${classes.length}`;
	classes.push(
		`class ${name} {\n\t#instance;\n\tconstructor(instance) {\n\t\tthis.#instance = instance;\n${made.join("")}\t}\n${getters.join("")}}\n`,
	);
	return name;
}
