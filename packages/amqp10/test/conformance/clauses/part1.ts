/**
 * What part 1 of AMQP 1.0, its types, asks of a broker. The specification numbers its sections and no sentence: an id is the section and a
 * letter, and is ours. MUST, SHALL and a plain "does" are "must" here; what it only allows (MAY) is left out.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part1: readonly Clause[] = readTable(
  'AMQP10',
  `
# 1 Types
§ 1.1.2 Described Types
AMQP10-1.1.2-a   both   must      A value may have a descriptor, any value itself, and means what descriptor and value say together.
§ 1.2 Type Encodings
AMQP10-1.2-a     both   must      A value starts with a constructor: a format code, or 0x00, a descriptor and the constructor of what is
  described.
AMQP10-1.2-b     both   must      Format code and width agree as its subcategory says; a code that is not defined cannot be decoded.
§ 1.2.2 Variable Width
AMQP10-1.2.2-a   both   must      A size of one or four octets stands before so many octets of data.
§ 1.2.3 Compound
AMQP10-1.2.3-a   both   must      Size, count and elements follow one another; the size covers the count and all elements, each with a
  constructor.
§ 1.2.4 Array
AMQP10-1.2.4-a   both   must      Size, count, one constructor and elements follow one another; all elements have that constructor.
§ 1.3.4 Field Notation
AMQP10-1.3.4-a   both   must-not  A mandatory field is not null, nor left out.
AMQP10-1.3.4-b   both   must      A field that is null or left out has its default.
AMQP10-1.3.4-c   both   must      A field of several values is null, one value, or an array of values.
AMQP10-1.3.4-d   both   must      Null and an empty array mean the same there.
AMQP10-1.3.4-e   both   must-not  A mandatory field of several values has no empty array.
AMQP10-1.3.4-f   both   must      A value has the type of its field.
§ 1.4 Composite Type Representation
AMQP10-1.4-a     both   must      A composite is a described list whose elements are the fields, in their order.
AMQP10-1.4-b     both   must      Fields at the end of the list that are null may be left out.
§ 1.5 Descriptor Values
AMQP10-1.5-a     both   must      A descriptor may be the symbol or the number of its type: both mean the same.
§ 1.6.2 boolean
AMQP10-1.6.2-a   both   must      A boolean is 0x41, 0x42, or 0x56 with an octet 0 or 1.
§ 1.6.5 uint
AMQP10-1.6.5-a   both   must      A uint has four octets, one, or none for 0; all mean the same.
§ 1.6.6 ulong
AMQP10-1.6.6-a   both   must      A ulong has eight octets, one, or none for 0; all mean the same.
§ 1.6.17 timestamp
AMQP10-1.6.17-a  both   must      A timestamp is milliseconds from the Unix epoch, before it as well.
§ 1.6.20 string
AMQP10-1.6.20-a  both   must      A string is UTF-8.
§ 1.6.21 symbol
AMQP10-1.6.21-a  both   must      A symbol is 7 bit ASCII.
§ 1.6.22 list
AMQP10-1.6.22-a  both   must      A list has none, one or four octets for size and count; all mean the same.
§ 1.6.23 map
AMQP10-1.6.23-a  both   must      A map has an even number of elements.
AMQP10-1.6.23-b  both   must-not  No key is twice in a map.
AMQP10-1.6.23-c  both   must      The order of the pairs of a map is kept.
`,
)
