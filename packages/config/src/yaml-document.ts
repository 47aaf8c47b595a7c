/** Documents of others than the configuration, in the same languages. */
import { Document, isMap, Scalar, visit } from 'yaml'
import { YamlText } from './yaml-text.ts'

/** What is longer is not looked at: no broker would take it. */
export const DOCUMENT_CHARS_MAX = 16_777_216

/**
 * YAML, or JSON, which is YAML: one document with sections. Throws TextFault for what `YamlText` refuses, and other errors for one that is too long
 * or has no sections.
 */
export function readYaml(text: string): object {
  if (text.length > DOCUMENT_CHARS_MAX)
    throw new RangeError(`it has ${text.length} characters, ${DOCUMENT_CHARS_MAX} are the limit; divide it`)
  const yaml = new YamlText(text, DOCUMENT_CHARS_MAX)
  if (isMap(yaml.root)) return yaml.plain(yaml.root) as object
  throw new TypeError('it is no document of definitions; `ternmq definitions export` writes one')
}

/** Control characters and others that are not seen, but for line breaks and what emoji are put together with. */
const UNSEEN = /(?![\n\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** What is not seen in its texts stands there as escapes: whoever shows it at a terminal sees what it says. */
export function asYaml(value: unknown): string {
  const document = new Document(value)
  visit(document, {
    Scalar: (_, scalar) => {
      // Only there has YAML escapes.
      if (typeof scalar.value === 'string' && scalar.value.search(UNSEEN) >= 0) scalar.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString().replace(UNSEEN, asEscape)
}

function asEscape(character: string): string {
  return `\\U${character.codePointAt(0)!.toString(16).padStart(8, '0')}`
}
