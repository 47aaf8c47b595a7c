/** Fields of messages: one table, read and written by every adapter. */
export { asksForLater, type Fault, faultText, type Pair, type PairsRead, readPairs } from './read-pairs.ts'
export { type AddressSpelling, addressSpelling } from './spelling.ts'
export { bytesOfText, isAscii, textOfBytes } from './texts.ts'
export { annotationNames, fieldOf, partNames, PROPERTY_PREFIX } from './names.ts'
export { FIELDS } from './table.ts'
export {
  type Field,
  type FieldId,
  type FieldProtocol,
  type PairProtocol,
  type Part,
  type Place,
  TABLED_PROTOCOLS,
  type TabledProtocol,
} from './types.ts'
export {
  type DeliveryFacts,
  type FieldedMessage,
  isMqttText,
  type Loss,
  losses,
  type MessageAnnotation,
  writeAnnotations,
  writeMessageAnnotations,
  type WriteOptions,
  writePairs,
} from './write-pairs.ts'
