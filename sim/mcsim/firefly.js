/**
 * Firefly's device for mcsim: the controls on the left, the board on the right. mcsim loads it in place of
 * its own devices when it is given this folder.
 */
import { DeviceContainer, DeviceScreen } from "DevicePane";
import { PanelBehavior } from "./panel/behavior.js";
import { BoardControls } from "./panel/controls.js";
import { BoardCard } from "./panel/view.js";

const BoardTemplate = DeviceContainer.template(($) => ({
	left: 0,
	right: 0,
	top: 0,
	bottom: 0,
	Behavior: PanelBehavior,
	contents: [
		BoardCard($, {}),
		// The application needs a screen, although it draws nothing.
		DeviceScreen($, { left: 0, width: 1, top: 0, height: 1 }),
	],
}));

export default {
	applicationName: ".*",
	sortingTitle: "0000",
	title: "Firefly",
	Workers: {},
	ControlsTemplate: BoardControls,
	DeviceTemplates: { 0: BoardTemplate },
};
