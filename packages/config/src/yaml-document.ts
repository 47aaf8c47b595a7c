/** Documents of others than the configuration, in the same languages. */
import { Document, parse, Scalar, visit } from 'yaml'

/** YAML, or JSON, which is YAML. Throws with line and column of what is wrong. */
export function readYaml(text: string): unknown {
  return parse(text) as unknown
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
