/**
 * rhea's codec of AMQP's types: the one place that imports it, with the narrow part of it that this package uses. rhea has types for its
 * clients only. Its reader trusts what it reads: `structure.ts` looks at all bytes first. [ADR-0011]
 */
// @ts-expect-error: rhea declares no types for this file
import types from 'rhea/lib/types.js'

/** A value with its encoding. */
export interface Typed {
  readonly type: { readonly name: string; readonly typecode: number }
  /** Typed values again within lists, maps (keys and values in turn) and described arrays; bare ones within arrays. */
  readonly value: unknown
  readonly descriptor?: Typed
  /** Of arrays. */
  readonly array_constructor?: { readonly typecode: number; readonly descriptor?: Typed }
}

interface Encoding {
  readonly typecode: number
  readonly width: number
}

/** Of one buffer, from its beginning. */
export interface Reader {
  readonly buffer: Buffer
  position: number
  read(): Typed
  read_fixed_width(type: Encoding): unknown
}

export interface Writer {
  write(value: Typed): void
  write_bytes(bytes: Buffer): void
  write_uint(value: number, width: 1 | 2 | 4): void
  skip(byteCount: number): void
  /** A view of the writer's memory. */
  toBuffer(): Buffer
}

type Create = (value?: unknown) => Typed

interface RheaTypes {
  readonly Reader: new (buffer: Buffer) => Reader
  readonly Writer: new (buffer?: Buffer) => Writer
  readonly Null: Create
  readonly List0: Create
  readonly List32: Create
  readonly Map32: Create
  readonly Array32: (elements: readonly unknown[], code: number) => Typed
  readonly Double: Create
  readonly Timestamp: Create
  readonly Long: Create
  readonly Ulong: Create
  readonly wrap_boolean: (value: boolean) => Typed
  readonly wrap_ubyte: (value: number) => Typed
  readonly wrap_ushort: (value: number) => Typed
  readonly wrap_uint: (value: number) => Typed
  readonly wrap_ulong: (value: number) => Typed
  readonly wrap_int: (value: number) => Typed
  readonly wrap_long: (value: number) => Typed
  readonly wrap_string: (value: string) => Typed
  readonly wrap_symbol: (value: string) => Typed
  readonly wrap_binary: (value: Uint8Array) => Typed
  readonly described: (descriptor: Typed, value: Typed) => Typed
}

export const rhea: RheaTypes = types as RheaTypes
