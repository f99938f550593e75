// Reasons shared by several statements that do not apply

export const TAKES_NO_ALIAS = "src/client announces no Topic Alias Maximum, so none may come";
export const ADDS_NO_TEXT = "src/client sends no reason string and no user property in it";
export const SERVER_SENDS_NO_AUTH = "the broker offers no authentication method, so AUTH is never sent";
export const NO_WEBSOCKET = "src/client connects over TCP";
export const TRANSPORT_OF_HOST = "TCP is the platform's";
export const CHOICE_OF_OPERATOR = "kept by whoever configures the client identifier";
export const APPLIES_NO_EXPIRY = "src/client applies no message expiry to what it receives";
export const REFUSES_NO_MESSAGE = "src/client refuses no message with PUBREC";
export const SERVES_QOS_2 = "the broker supports every QoS";
export const SERVER_ADDS_NONE = "the broker adds none to this packet";
