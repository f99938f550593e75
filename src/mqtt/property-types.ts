// Data types of property values (§2.2.2.2)
export const TYPE_NONE = 0;
export const TYPE_BYTE = 1;
export const TYPE_UINT16 = 2;
export const TYPE_UINT32 = 3;
export const TYPE_VARINT = 4;
export const TYPE_STRING = 5;
export const TYPE_BINARY = 6;
export const TYPE_STRING_PAIR = 7;
export type PropertyType =
	| typeof TYPE_NONE
	| typeof TYPE_BYTE
	| typeof TYPE_UINT16
	| typeof TYPE_UINT32
	| typeof TYPE_VARINT
	| typeof TYPE_STRING
	| typeof TYPE_BINARY
	| typeof TYPE_STRING_PAIR;

/** Where a packet type is asked for: the will in a CONNECT, which has properties of its own (§3.1.3.2). */
export const WILL_PROPERTIES = 0;
