/** The OpenAPI document: every call with its schemas, examples and problems. Made once, when it is asked for. */
import { API_ROOT, type AnyRoute, type Problem, PROBLEM_CONTENT_TYPE, type Tag } from '@ternmq/api'
import { type RouteSchemas, schemasOf } from '@ternmq/api/schemas'
import { PROBLEMS } from '@ternmq/management'
import { z } from 'zod'
import { exampleOf, type JsonNode } from './examples.ts'

type Json = Record<string, unknown>

interface ObjectNode {
  readonly properties?: Readonly<Record<string, JsonNode>>
  readonly required?: readonly string[]
}

const TAGS: Readonly<Record<Tag, string>> = {
  overview: 'The broker as a whole, and what happens in it.',
  access: 'Logins, users, permissions, tokens.',
  connections: 'Who is connected, and who was.',
  sessions: 'What clients leave behind while they are away.',
  queues: 'Queues, their settings and their consumers.',
  topics: 'Topics, retained messages, addresses.',
  messages: 'What is in queues, and what is done to it.',
  messaging: 'Publish and take over HTTP.',
  operations: 'Long work.',
  schedules: 'What is to be sent later.',
  definitions: 'Policies, and all definitions as one document.',
  settings: 'The configuration and the store.',
  health: 'Whether the broker does its work.',
}

const SCHEMA_PREFIX = '#/components/schemas/'
const DEFS_PREFIX = '#/$defs/'

export interface DocumentOptions {
  readonly version: string
  readonly basePath: string
  readonly cookieName: string
}

export function openApiDocument(routes: readonly AnyRoute[], { version, basePath, cookieName }: DocumentOptions): Json {
  const components = new Map<string, Json>([['Problem', PROBLEM_SCHEMA]])
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = (paths[API_ROOT + route.path] ??= {})
    path[route.method.toLowerCase()] = operationOf(route, schemasOf(route), components)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'TernMQ admin API',
      version,
      description:
        'Everything that the console and the command line do. Lists come in pages; errors are `application/problem+json`.',
    },
    servers: [{ url: basePath === '' ? '/' : basePath }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ token: [] }, { password: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: { Problem: PROBLEM_RESPONSE },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of `POST /tokens`.' },
        password: { type: 'http', scheme: 'basic', description: 'Name and password, for scripts.' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName,
          description: 'The login of a browser. Writes bring `csrfToken` of `GET /session` as `x-csrf-token`.',
        },
      },
    },
  }
}

function operationOf(route: AnyRoute, schemas: RouteSchemas, components: Map<string, Json>): Json {
  const { status = 200, needs } = route
  const scope =
    needs === 'nobody'
      ? 'No login is needed.'
      : needs === 'user'
        ? 'Any login will do.'
        : `Needs the scope \`${needs}\`.`
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: [route.detail, scope].filter((text) => text !== undefined).join('\n\n'),
    'x-needs': needs,
    ...(needs === 'nobody' && { security: [] }),
    parameters: [
      ...parametersIn('path', schemas.params, components),
      ...parametersIn('query', schemas.query, components),
    ],
    ...(schemas.body !== undefined && {
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: schemaOf(schemas.body, components), example: exampleOf(schemas.body) },
        },
      },
    }),
    responses: {
      [status]: answerOf(route, schemas.answer, components),
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function answerOf(
  { contentType, status }: AnyRoute,
  answer: z.ZodType | undefined,
  components: Map<string, Json>,
): Json {
  if (status === 204) return { description: 'It is done.' }
  if (contentType !== undefined) {
    const isText = contentType.startsWith('text/')
    return {
      description: isText ? 'Events.' : 'The bytes.',
      content: { [contentType]: { schema: isText ? { type: 'string' } : {} } },
    }
  }
  const content = answer === undefined ? {} : { schema: schemaOf(answer, components), example: exampleOf(answer) }
  return { description: 'The answer.', content: { 'application/json': content } }
}

function parametersIn(place: 'path' | 'query', schema: z.ZodType, components: Map<string, Json>): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, components) as ObjectNode
  return Object.entries(properties).map(([name, node]) => {
    const { description, examples, ...rest } = node
    return {
      name,
      in: place,
      required: required.includes(name),
      description,
      schema: rest,
      ...(examples !== undefined && { example: examples[0] }),
    }
  })
}

/** What has an id becomes a component, once. */
function schemaOf(schema: z.ZodType, components: Map<string, Json>): Json {
  const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonNode
  for (const [id, component] of Object.entries($defs)) {
    if (!components.has(id)) components.set(id, cleaned(component))
  }
  return cleaned(root)
}

/** Of frozen lists; how the configuration takes its settings over; and what would forbid a later version to say more. None is for callers. */
const OURS: ReadonlySet<string> = new Set(['$schema', 'id', 'readOnly', 'reload', 'allowed', 'secret'])

function cleaned(node: JsonNode): Json {
  const { $ref, properties, items, anyOf, ...rest } = node
  if ($ref !== undefined) return { $ref: SCHEMA_PREFIX + $ref.slice(DEFS_PREFIX.length) }
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([key, value]) => !OURS.has(key) && value !== false)),
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, cleaned(field)])),
    }),
    ...(items !== undefined && { items: cleaned(items) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(cleaned) }),
  }
}

const PROBLEM_SCHEMA: Json = {
  type: 'object',
  description: 'Why a call is refused. [RFC 9457]',
  required: ['code', 'status', 'title', 'detail'],
  properties: {
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'Stable, for programs.' },
    status: { type: 'integer', description: 'Status of the answer.' },
    title: { type: 'string', description: 'The code in words.' },
    detail: { type: 'string', description: 'What is wrong and what to do.' },
    field: { type: 'string', description: 'Field of path, query or body that is to blame: `settings.bytesMax`.' },
    value: { description: 'What it was; cut, and never of a secret.' },
    rule: { type: 'string', description: 'The rule that it broke.' },
    retryAfterMs: { type: 'integer', description: 'Where waiting helps: for how long, as the header `retry-after`.' },
    others: {
      type: 'array',
      items: { type: 'object' },
      description: 'Further fields that are wrong: detail, field, value, rule.',
    },
  },
}

const PROBLEM_RESPONSE: Json = {
  description: 'The call is refused.',
  content: {
    [PROBLEM_CONTENT_TYPE]: {
      schema: { $ref: `${SCHEMA_PREFIX}Problem` },
      example: {
        code: 'INVALID',
        status: 400,
        title: PROBLEMS.INVALID[1],
        detail: 'limit is 9999; allowed is a whole number from 1 to 500',
        field: 'limit',
        value: 9999,
        rule: 'a whole number from 1 to 500',
      } satisfies Problem,
    },
  },
}
