/** What mcsim provides to a device's scripts, limited to what the panel uses. */

declare module "piu/All" {
	/** Any content of the window. */
	export interface Content {
		readonly application: Content | null;
		readonly first: Content;
		readonly last: Content;
		readonly next: Content;
		content(index: number): Content;
		string: string;
		state: number;
		width: number;
		height: number;
		/** ms */
		interval: number;
		duration: number;
		loop: boolean;
		start(): void;
		/** Calls the behavior's method after the current event. */
		defer(name: string): void;
		/** Calls the behaviors of this content and those within it. */
		distribute(name: string, argument: unknown): void;
	}
	/** The slider of a SliderRow; the label of its value is next to it. */
	export interface Slider<Data> extends Content {
		readonly behavior: { readonly data: Data; onDataChanged(slider: Content): void };
	}
}

declare module "DevicePane" {
	import type { Content } from "piu/All";
	export class DeviceBehavior {
		onCreate(container: Content, device: object): void;
		postJSON(container: Content, message: object): void;
	}
	export const DeviceContainer: PiuTemplate;
	export const DeviceScreen: PiuTemplate;
}

declare module "ControlsPane" {
	export const ControlsColumn: PiuTemplate;
	export const ButtonsRow: PiuTemplate;
	export const SliderRow: PiuTemplate;
	export const SwitchRow: PiuTemplate;
}

declare module "piu/Scrollbars" {
	export const ScrollerBehavior: typeof Behavior;
	export const VerticalScrollbar: PiuTemplate;
}
