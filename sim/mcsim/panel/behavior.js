import { DeviceBehavior } from "DevicePane";
import { SLIDERS } from "./controls.js";
import { boot, crash, losePower, newBoard, receive, wakingPin } from "./state.js";

/**
 * @import { Content, Slider } from "piu/All"
 * @import { BoardState, FirmwareMessage, PanelMessage, WakeReason } from "./types"
 * @import { ControlData, SliderControl } from "./controls.js"
 */

/** Interval, in ms, at which the panel is drawn and a sleep may end. */
const TICK_MS = 100;
/** Time, in ms, for which a crash is shown before the firmware starts again, as a chip does at once. */
const CRASH_MS = 1500;

/**
 * The board behind the panel. mcsim deletes the application's machine and unloads its library at each sleep
 * and reset, and loads it again: nothing survives but the files of firmware/desktop.
 */
export class PanelBehavior extends DeviceBehavior {
	/** @type {BoardState} */
	board = newBoard();
	/** @type {WakeReason | undefined} why the next start happens, if the panel causes it */
	nextReason = "power-on";
	/** @type {number | undefined} the pin that causes it */
	nextPin = undefined;
	/** @type {(() => void) | undefined} waits for the end of a look-up */
	postponed = undefined;
	restartAt = 0;
	wifi = true;
	brokerReachable = true;
	/** The contacts at digital pins. */
	contactClosed = false;
	/** @type {Record<string, number>} readings that sliders hold, by property */
	held = {};
	// mcsim puts the sliders here, by their names.
	/** @type {Slider<SliderControl> | undefined} */
	TEMPERATURE = undefined;
	/** @type {Slider<SliderControl> | undefined} */
	HUMIDITY = undefined;
	/** @type {Slider<SliderControl> | undefined} */
	PRESSURE = undefined;
	/** @type {Slider<SliderControl> | undefined} */
	BATTERY = undefined;
	/** @type {Slider<SliderControl> | undefined} */
	ANALOG = undefined;

	/**
	 * @override
	 * @param {Content} container
	 * @param {{ board?: BoardState }} device lives as long as the panel, also when the display is rotated
	 */
	onCreate(container, device) {
		super.onCreate(container, device);
		this.board = device.board ??= this.board;
		container.interval = TICK_MS;
		container.duration = TICK_MS;
		container.loop = true;
		container.start();
	}

	// mcsim

	/** @param {Content} container the application was started */
	onConfigure(container) {
		const reason = this.nextReason ?? "reset";
		const pin = this.nextPin;
		this.nextReason = this.nextPin = undefined;
		this.restartAt = 0;
		boot(this.board, reason, Date.now(), pin);
		const cause = pin === undefined ? {} : { pin };
		this.send(container, { controls: this.controls, boot: reason, ...cause });
		this.show(container);
	}

	/**
	 * @param {Content} container
	 * @param {FirmwareMessage} message
	 */
	onJSON(container, message) {
		receive(this.board, message, Date.now());
		if (message.event?.[0] === "sample") this.showReadings();
		if (message.resolving === false && this.postponed) {
			const action = this.postponed;
			this.postponed = undefined;
			action();
		}
		// Deferred: mcsim is still within the message.
		if (message.sleep !== undefined) container.defer("onSleepBegin");
		this.show(container);
	}

	/**
	 * @param {Content} container
	 * @param {number} status 0: the debugger ended the application
	 * @param {string} reason
	 */
	onAbort(container, status, reason) {
		if (status === 0) {
			losePower(this.board);
			this.nextReason = "power-on";
			this.show(container);
			return false;
		}
		crash(this.board, reason);
		// Its timers would go on.
		simulator().quitScreen();
		this.restartAt = Date.now() + CRASH_MS;
		this.show(container);
		return true;
	}

	/** @param {Content} container */
	onTimeChanged(container) {
		const now = Date.now();
		const { board } = this;
		const pin = wakingPin(board, this.contactClosed);
		if (pin !== undefined) this.restart("deep-sleep", pin);
		else if (board.phase === "asleep" && now >= board.wakeAt) this.restart("deep-sleep");
		else if (board.phase === "crashed" && this.restartAt !== 0 && now >= this.restartAt)
			this.restart("crash");
		this.show(container);
	}

	onSleepBegin() {
		simulator().quitScreen();
	}

	// Controls

	onReset() {
		this.whenIdle(() => this.restart("reset"));
	}

	onBrownOut() {
		this.whenIdle(() => {
			losePower(this.board);
			this.restart("brown-out");
		});
	}

	/** @param {Content} container */
	onCrash(container) {
		if (this.board.phase === "awake") this.send(container, { crash: true });
	}

	onWake() {
		if (this.board.phase === "asleep") this.restart("deep-sleep");
	}

	/**
	 * @param {Content} container
	 * @param {ControlData} data
	 */
	onPowerChanged(container, data) {
		this.whenIdle(() => {
			losePower(this.board);
			if (data.value) this.restart("power-on");
			else simulator().quitScreen();
			this.show(container);
		});
	}

	/**
	 * @param {Content} container
	 * @param {ControlData} data
	 */
	onWiFiChanged(container, data) {
		this.wifi = data.value === true;
		this.sendControls(container);
	}

	/**
	 * @param {Content} container
	 * @param {ControlData} data
	 */
	onBrokerChanged(container, data) {
		this.brokerReachable = data.value === true;
		this.sendControls(container);
	}

	/**
	 * While the board sleeps, the next tick wakes it.
	 * @param {Content} container
	 * @param {ControlData} data
	 */
	onContactChanged(container, data) {
		this.contactClosed = data.value === true;
		this.sendControls(container);
	}

	/**
	 * @param {Content} container
	 * @param {SliderControl} data
	 */
	onReadingChanged(container, data) {
		this.held[data.property] = Number((data.value * data.scale).toFixed(2));
		this.sendControls(container);
	}

	/**
	 * A slider moves: its own text would show rounding errors.
	 * @param {Content} _container
	 * @param {SliderControl} data
	 */
	onReadingTracked(_container, data) {
		for (const slider of this.sliders()) if (slider.behavior.data === data) showValue(slider);
	}

	/** @param {Content} container sliders let go: readings follow the curve */
	onCurve(container) {
		this.held = {};
		this.sendControls(container);
	}

	// Helpers

	get controls() {
		const readings = { ...this.held, "contact.closed": this.contactClosed ? 1 : 0 };
		return { wifi: this.wifi, broker: this.brokerReachable, readings };
	}

	/**
	 * @param {WakeReason} reason
	 * @param {number} [pin] GPIO that ends a sleep
	 */
	restart(reason, pin) {
		this.nextReason = reason;
		this.nextPin = pin;
		this.board.phase = "off";
		simulator().quitScreen();
		simulator().launchScreen();
	}

	/** @param {() => void} action ends the application, which must not resolve a name meanwhile */
	whenIdle(action) {
		if (this.board.phase === "awake" && this.board.resolving) this.postponed = action;
		else action();
	}

	/** @param {Content} container */
	sendControls(container) {
		if (this.board.phase === "awake") this.send(container, { controls: this.controls });
	}

	/**
	 * @param {Content} container
	 * @param {PanelMessage} message
	 */
	send(container, message) {
		this.postJSON(container, message);
	}

	/** Sliders that nobody holds follow the samples. */
	showReadings() {
		for (const slider of this.sliders()) {
			const { data } = slider.behavior;
			const reading = this.board.readings[data.property];
			if (reading === undefined || data.property in this.held) continue;
			data.value = Math.round(reading / data.scale / data.step) * data.step;
			slider.behavior.onDataChanged(slider);
			showValue(slider);
		}
	}

	/** The sliders that are on display. */
	sliders() {
		return SLIDERS.flatMap(({ name }) => this[name] ?? []);
	}

	/** @param {Content} container */
	show(container) {
		container.distribute("onBoardChanged", this.board);
	}
}

/** @param {Slider<SliderControl>} slider */
function showValue(slider) {
	slider.next.string = String(Number(slider.behavior.data.value.toFixed(2)));
}

/** mcsim itself: it starts and ends the application. */
function simulator() {
	return application.behavior;
}
