/** Examples of what schemas describe, put together from the examples of their fields. */
import { z } from 'zod'

/** The parts of JSON Schema that ours come out with. */
export interface JsonNode {
  readonly type?: string | undefined
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonNode>>
  readonly items?: JsonNode
  readonly anyOf?: readonly JsonNode[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly examples?: readonly unknown[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonNode>>
}

const REF_PREFIX = '#/$defs/'

/** Every field is there, also those that may be left out. */
export function exampleOf(schema: z.ZodType): unknown {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonNode
  return exampleOfNode(root, root.$defs ?? {})
}

function exampleOfNode(node: JsonNode, defs: Readonly<Record<string, JsonNode>>): unknown {
  if (node.$ref !== undefined) return exampleOfNode(defs[node.$ref.slice(REF_PREFIX.length)]!, defs)
  if (node.examples !== undefined && node.examples.length > 0) return node.examples[0]
  if (node.const !== undefined) return node.const
  if (node.enum !== undefined) return node.enum[0]
  if (node.anyOf !== undefined) return exampleOfNode(node.anyOf[0]!, defs)
  switch (node.type) {
    case 'array':
      return node.items === undefined ? [] : [exampleOfNode(node.items, defs)]
    case 'object':
      return Object.fromEntries(
        Object.entries(node.properties ?? {}).map(([name, field]) => [name, exampleOfNode(field, defs)]),
      )
    case 'integer':
    case 'number':
      return node.minimum ?? 1
    case 'boolean':
      return true
    default:
      return 'text'
  }
}
