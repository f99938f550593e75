/**
 * What `npm run test:quick` runs: every area, a minute or two on two idle cores. Left out are fuzzing, real
 * brokers and browsers, measurements on XS, and whole simulated days.
 */
export const quickPaths: readonly string[] = [
	"architecture",
	"access",
	"broker/publish-subscribe.test.ts",
	"broker/qos2.test.ts",
	"broker/sessions.test.ts",
	"cli/live-view.test.ts",
	"cli/report.test.ts",
	"cli/usage.test.ts",
	"client/handshake.test.ts",
	"client/retransmission.test.ts",
	"config/duration.test.ts",
	"config/settings.test.ts",
	"config/text.test.ts",
	"conformance",
	"faults/fault-text.test.ts",
	"crypto",
	"firmware/listener.test.ts",
	"firmware/manifest.test.ts",
	"mqtt/golden.test.ts",
	"mqtt/topics.test.ts",
	"sensor/node.test.ts",
	"sensor/outbox.test.ts",
	"service/key-log.test.ts",
	"session",
	"sim/board.test.ts",
	"sim/scheduler.test.ts",
	"websocket",
	"xs/modules.test.ts",
];
