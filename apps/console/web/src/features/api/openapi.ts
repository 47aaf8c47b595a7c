/** As much of an OpenAPI document as the API page shows. */

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly default?: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

interface Content {
  readonly schema?: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>
}

interface OpenApiOperation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> }
  readonly responses?: Readonly<
    Record<
      string,
      { readonly $ref?: string; readonly description?: string; readonly content?: Readonly<Record<string, Content>> }
    >
  >
}

export interface OpenApiDocument {
  readonly tags?: ReadonlyArray<{ readonly name: string; readonly description?: string }>
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly description: string | undefined
  readonly parameters: readonly Parameter[]
  readonly body: Schema | undefined
  readonly example: unknown
  readonly answers: ReadonlyArray<{
    readonly status: string
    readonly description: string
    readonly schema: Schema | undefined
  }>
}

export interface OperationGroup {
  readonly tag: string
  readonly description: string
  readonly operations: readonly Operation[]
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** By tag, in the document's order; only those with `wanted`, in lower case, in path, id or summary. */
export function operationsOf(document: OpenApiDocument, wanted: string): OperationGroup[] {
  const byTag = new Map<string, Operation[]>((document.tags ?? []).map(({ name }) => [name, []]))
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const found = item[method]
      if (found === undefined) continue
      const operation = toOperation(method, path, found)
      if (!`${path} ${operation.id} ${operation.summary}`.toLowerCase().includes(wanted)) continue
      const tag = found.tags?.[0] ?? 'other'
      byTag.set(tag, [...(byTag.get(tag) ?? []), operation])
    }
  }
  const about = new Map((document.tags ?? []).map(({ name, description }) => [name, description]))
  return [...byTag].flatMap(([tag, operations]) =>
    operations.length === 0 ? [] : [{ tag, description: about.get(tag) ?? '', operations }],
  )
}

function toOperation(method: string, path: string, found: OpenApiOperation): Operation {
  const content = Object.values(found.requestBody?.content ?? {})[0]
  return {
    id: found.operationId,
    method,
    path,
    summary: found.summary ?? '',
    description: found.description,
    parameters: found.parameters ?? [],
    body: content?.schema,
    example: content?.example ?? Object.values(content?.examples ?? {})[0]?.value,
    // Refusals are the same for all calls.
    answers: Object.entries(found.responses ?? {})
      .filter(([status]) => status.startsWith('2'))
      .map(([status, answer]) => ({
        status,
        description: answer.description ?? '',
        schema: Object.values(answer.content ?? {})[0]?.schema,
      })),
  }
}

const REF = '#/components/schemas/'

/** What a reference points to, with its name; the schema itself when it is none. */
export function resolveSchema(
  schema: Schema,
  document: OpenApiDocument,
): { readonly schema: Schema; readonly name: string | undefined } {
  const name = schema.$ref?.startsWith(REF) === true ? schema.$ref.slice(REF.length) : undefined
  const found = name === undefined ? undefined : document.components?.schemas?.[name]
  return { schema: found ?? schema, name }
}

/** `string`, `Queue[]`, `'a' | 'b'`, `integer from 1 to 500`. */
export function sayType(schema: Schema, document: OpenApiDocument): string {
  const { schema: found, name } = resolveSchema(schema, document)
  if (name !== undefined) return name
  if (found.const !== undefined) return JSON.stringify(found.const)
  if (found.enum !== undefined) return found.enum.map((value) => JSON.stringify(value)).join(' | ')
  const several = found.anyOf ?? found.oneOf
  if (several !== undefined) return several.map((one) => sayType(one, document)).join(' | ')
  if (found.items !== undefined) {
    const item = sayType(found.items, document)
    return item.includes(' | ') ? `(${item})[]` : `${item}[]`
  }
  const type = typeof found.type === 'string' ? found.type : (found.type?.join(' | ') ?? 'anything')
  const range = [
    ...(found.minimum === undefined ? [] : [`from ${found.minimum}`]),
    ...(found.maximum === undefined ? [] : [`to ${found.maximum}`]),
  ]
  return [type, ...range].join(' ')
}
