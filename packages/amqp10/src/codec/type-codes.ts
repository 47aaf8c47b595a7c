/** Constructors of AMQP's encodings, and how wide what follows them is. [AMQP10 §1.2, §1.6] */

export const Code = {
  described: 0x00,
  null: 0x40,
  true: 0x41,
  false: 0x42,
  uint0: 0x43,
  ulong0: 0x44,
  list0: 0x45,
  ubyte: 0x50,
  byte: 0x51,
  smallUint: 0x52,
  smallUlong: 0x53,
  smallInt: 0x54,
  smallLong: 0x55,
  boolean: 0x56,
  ushort: 0x60,
  short: 0x61,
  uint: 0x70,
  int: 0x71,
  float: 0x72,
  char: 0x73,
  decimal32: 0x74,
  ulong: 0x80,
  long: 0x81,
  double: 0x82,
  timestamp: 0x83,
  decimal64: 0x84,
  decimal128: 0x94,
  uuid: 0x98,
  binary8: 0xa0,
  string8: 0xa1,
  symbol8: 0xa3,
  binary32: 0xb0,
  string32: 0xb1,
  symbol32: 0xb3,
  list8: 0xc0,
  map8: 0xc1,
  list32: 0xd0,
  map32: 0xd1,
  array8: 0xe0,
  array32: 0xf0,
} as const

/** Bytes of a value of each category, which is the upper half of its constructor: fixed ones, then those with a size. [AMQP10 §1.2] */
const FIXED_WIDTHS = [0, 1, 2, 4, 8, 16]

/** No such constructor. */
export const UNKNOWN = 0xff
/** A size of one byte, or of four, is before the contents. */
export const SIZED8 = 0xfe
export const SIZED32 = 0xfd

/** What follows a constructor: the width of a fixed value, `SIZED8`, `SIZED32` or `UNKNOWN`. `described` is unknown here. */
export const WIDTHS: Uint8Array = widths()

function widths(): Uint8Array {
  const table = new Uint8Array(256).fill(UNKNOWN)
  for (const code of Object.values(Code)) {
    const category = code >>> 4
    if (category >= 0xa) table[code] = category % 2 === 0 ? SIZED8 : SIZED32
    else if (category >= 4) table[code] = FIXED_WIDTHS[category - 4]!
  }
  return table
}
