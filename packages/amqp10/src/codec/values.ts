/** Values of AMQP's types in JavaScript's. [AMQP10 §1.6] */

/** An encoding with a descriptor. [AMQP10 §1.1.2] */
export interface Described {
  readonly descriptor: string | bigint
  readonly value: Value
}

/** A symbol, where it must not be taken for a string. */
export class AmqpSymbol {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * Integers of up to 53 bits are numbers, wider ones bigint; a symbol is an AmqpSymbol, a timestamp a Date, a uuid the text that all know,
 * decimals their bytes. Keys of maps are values of any kind: no key is a property of an object.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | AmqpSymbol
  | Described
  | readonly Value[]
  | ReadonlyMap<Value, Value>
