/** Limits of address texts. Beyond one of them a text is refused, with the limit in the sentence. */

/** UTF-16 units of an address text: what MQTT's two-byte length can say. */
export const TEXT_LENGTH_MAX = 65_535

/** Levels of a topic, unless the caller says otherwise: matching walks them one inside the other. */
export const LEVELS_MAX = 128

/** Parts of a list of addresses, before duplicates are removed. */
export const LIST_PARTS_MAX = 64

/** `consumer.` options of one address. */
export const OPTIONS_MAX = 32

/** UTF-16 units of a queue's name, the core's own limit. */
export const QUEUE_NAME_LENGTH_MAX = 1_024
