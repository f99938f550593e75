/** Globals of mcsim's scripts. */

/** Makes a content: `$` is passed to its contents and behavior. */
interface PiuTemplate {
	($: object, dictionary?: object): object;
	template(describe: ($: object) => object): PiuTemplate;
}

declare const Container: PiuTemplate;
declare const Column: PiuTemplate;
declare const Row: PiuTemplate;
declare const Label: PiuTemplate;
declare const Scroller: PiuTemplate;
declare const RoundContent: PiuTemplate;

declare class Behavior {}
declare class Skin {
	constructor(dictionary: object);
}
declare class Style {
	constructor(dictionary: object);
}

/** mcsim's application: its behavior starts and ends what is simulated. */
declare const application: {
	readonly behavior: {
		/** Deletes the machine of the application, and unloads it. */
		quitScreen(): void;
		/** Loads the application, and starts it; nothing if none is open. */
		launchScreen(): void;
	};
};
