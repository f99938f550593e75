/** Remembers, for all starts of the firmware in this process, that Firefly's panel is there. */
export function rememberPanel(this: void): void {
	native("xs_firefly_remember_panel").call(this);
}

/** Whether an earlier start has heard of the panel. */
export function panelIsKnown(this: void): boolean {
	return native("xs_firefly_panel_is_known").call(this) as boolean;
}
