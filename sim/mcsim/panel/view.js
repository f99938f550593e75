import { ScrollerBehavior, VerticalScrollbar } from "piu/Scrollbars";
import { describeBoard } from "./text.js";

/**
 * @import { Content } from "piu/All"
 * @import { BoardState, Phase } from "./types"
 */

const ROW_HEIGHT = 18;
const NAME_WIDTH = 90;
/** Left of a row without a name. */
const INDENT = 12;
/** Rows of a broker with all that firmware/desktop/broker-view.ts tells. */
const ROW_COUNT = 40;

/** States of the lamp's skin. @type {Readonly<Record<Phase, number>>} */
const LAMP = { off: 0, awake: 1, asleep: 2, crashed: 3 };

const skins = {
	card: new Skin({ fill: "#fdfdfb", stroke: "#b8b8b0" }),
	lamp: new Skin({
		fill: ["#d0d0d0", "#ffcc33", "#4a6fa5", "#d0342c"],
		stroke: ["#a8a8a8", "#c99700", "#324d75", "#8f1d17"],
	}),
};
const styles = {
	title: new Style({ font: "semibold 18px", color: "#202020", horizontal: "left", left: 8 }),
	name: new Style({ font: "semibold", color: "#606060", horizontal: "left" }),
	value: new Style({ color: "#202020", horizontal: "left" }),
};

class LampBehavior extends Behavior {
	/**
	 * @param {Content} lamp
	 * @param {BoardState} board
	 */
	onBoardChanged(lamp, board) {
		lamp.state = LAMP[board.phase];
	}
}

class TitleBehavior extends Behavior {
	/**
	 * @param {Content} label
	 * @param {BoardState} board
	 */
	onBoardChanged(label, board) {
		setText(label, describeBoard(board, Date.now()).title);
	}
}

class RowsBehavior extends Behavior {
	/**
	 * @param {Content} column
	 * @param {BoardState} board
	 */
	onBoardChanged(column, board) {
		const { rows } = describeBoard(board, Date.now());
		for (let i = 0; i < ROW_COUNT; i++) {
			const [name, value] = rows[i] ?? ["", ""];
			const row = column.content(i);
			const height = i < rows.length ? ROW_HEIGHT : 0;
			if (row.height !== height) row.height = height;
			const width = name === "" ? INDENT : NAME_WIDTH;
			if (row.first.width !== width) row.first.width = width;
			setText(row.first, name);
			setText(row.last, value);
		}
	}
}

/**
 * Sets a text, if it is another one: each change is drawn anew.
 * @param {Content} label
 * @param {string} text
 */
function setText(label, text) {
	if (label.string !== text) label.string = text;
}

/** The board as a card: lamp, title and rows. */
export const BoardCard = Container.template(($) => ({
	left: 10,
	right: 10,
	top: 10,
	bottom: 10,
	clip: true,
	contents: [
		RoundContent($, { left: 0, right: 0, top: 0, bottom: 0, radius: 8, border: 1, skin: skins.card }),
		RoundContent($, {
			left: 16,
			top: 14,
			width: 22,
			height: 22,
			radius: 11,
			border: 1,
			skin: skins.lamp,
			Behavior: LampBehavior,
		}),
		Label($, { left: 40, right: 10, top: 10, height: 30, style: styles.title, Behavior: TitleBehavior }),
		Scroller($, {
			left: 16,
			right: 4,
			top: 48,
			bottom: 8,
			clip: true,
			active: true,
			Behavior: ScrollerBehavior,
			contents: [
				Column($, {
					left: 0,
					right: 0,
					top: 0,
					Behavior: RowsBehavior,
					contents: Array.from({ length: ROW_COUNT }, () => rowOf($)),
				}),
				VerticalScrollbar($, {}),
			],
		}),
	],
}));

/** @param {object} $ */
function rowOf($) {
	return Row($, {
		left: 0,
		right: 0,
		height: 0,
		contents: [
			Label($, { left: 0, width: NAME_WIDTH, height: ROW_HEIGHT, style: styles.name }),
			Label($, { left: 0, right: 0, height: ROW_HEIGHT, style: styles.value }),
		],
	});
}
