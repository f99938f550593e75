import Type, { type Static } from "typebox";
import { BrokerConfig } from "./broker";
import { WiFiConfig } from "./firefly";
import { strict } from "./kinds";

/**
 * `firefly.local.json`, beside the manifest and never under version control: secrets, and settings of this
 * developer's network.
 */
export const LocalConfig = Type.Object(
	{
		$schema: Type.Optional(Type.String()),
		wifi: Type.Optional(WiFiConfig),
		broker: Type.Optional(Type.Pick(BrokerConfig, ["url", "username", "password"], strict)),
	},
	strict,
);

export type LocalConfig = Static<typeof LocalConfig>;
