const hex = (text: string): readonly number[] => [...Buffer.from(text, "hex")];

/** Trimming values of one BME280: registers 0x88 … 0xa1 and 0xe1 … 0xe7. */
export const TRIM = hex("106e6c6632005d95b8d5d00b771e9dfff9ffac260ad8bd10004b6e01001305001e");
