import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { validTopicName } from "../../src/mqtt/topics";
import { fillTopic, isTopicName, topicTemplate } from "../../src/sensor/settings/topic";

const device = { mac: "a0b1c2d3e4f5", chip: "esp32s3" };

test("a template is known to be a topic name: the topic of every device is one", () => {
	const piece = fc.oneof(fc.constantFrom("{mac}", "{chip}", "/", "a", "é", "+", "#", "$SYS"), fc.string());
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
			const text = pieces.join("").replaceAll("\0", "");
			const template = topicTemplate(text.toWellFormed());
			const topic = fillTopic(template, device);
			if (isTopicName(template)) assert.ok(validTopicName(topic, 0, topic.length));
		}),
	);
});

test("an ordinary topic is known to be a topic name, one with a wildcard, without text or too long is not", () => {
	for (const [topic, expected] of [
		["home/{mac}/temperature", true],
		["température", true],
		["home/+/temperature", false],
		["home/#", false],
		["{mac}", false],
		["", false],
		["a".repeat(65_536), false],
	] as const)
		assert.equal(isTopicName(topicTemplate(topic)), expected, topic.slice(0, 40));
});
