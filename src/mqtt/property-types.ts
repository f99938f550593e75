// Data types of property values (§2.2.2.2)
export const TYPE_NONE = 0;
export const TYPE_BYTE = 1;
export const TYPE_UINT16 = 2;
export const TYPE_UINT32 = 3;
export const TYPE_VARINT = 4;
export const TYPE_STRING = 5;
export const TYPE_BINARY = 6;
export const TYPE_STRING_PAIR = 7;

/**
 * The data type of a property's value; TYPE_NONE for an identifier that the specification does not define.
 */
export function propertyType(id: number): number {
	switch (id) {
		case 0x26:
			return TYPE_STRING_PAIR;
		case 0x02:
		case 0x11:
		case 0x18:
		case 0x27:
			return TYPE_UINT32;
		case 0x13:
		case 0x21:
		case 0x22:
		case 0x23:
			return TYPE_UINT16;
		case 0x0b:
			return TYPE_VARINT;
		case 0x03:
		case 0x08:
		case 0x12:
		case 0x15:
		case 0x1a:
		case 0x1c:
		case 0x1f:
			return TYPE_STRING;
		case 0x09:
		case 0x16:
			return TYPE_BINARY;
		case 0x01:
		case 0x17:
		case 0x19:
		case 0x24:
		case 0x25:
		case 0x28:
		case 0x29:
		case 0x2a:
			return TYPE_BYTE;
		default:
			return TYPE_NONE;
	}
}
