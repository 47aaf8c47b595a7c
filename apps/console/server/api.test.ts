/** What holds for every call, as the OpenAPI document describes it. */
import { type Problem, purgeQueue, type Scope } from '@ternmq/api'
import { routes, schemasOf } from '@ternmq/api/schemas'
import { bind } from '@ternmq/management'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleOf, type JsonNode } from './examples.ts'
import type { ApiServer } from './index.ts'
import { FakeBroker } from './test/fake-broker.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly description: string
  readonly schema: JsonNode & { readonly maximum?: number }
  readonly example: unknown
}

interface Operation {
  readonly operationId: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: JsonNode; readonly example: object } }
  }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>
  readonly 'x-needs': 'nobody' | 'user' | Scope
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonNode>> }
}

let broker: FakeBroker
let server: ApiServer
let calls: ReadonlyArray<{ readonly method: 'GET'; readonly path: string; readonly operation: Operation }>
let document: Document

beforeAll(async () => {
  broker = new FakeBroker()
  server = await broker.server()
  document = (await server.app.inject('/api/v1/openapi.json')).json<Document>()
  calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase() as 'GET',
      path,
      operation,
    })),
  )
})

afterAll(() => server.close())

const isStream = ({ responses }: Operation): boolean => responses['200']?.content?.['text/event-stream'] !== undefined

function urlOf(path: string, { parameters }: Operation, change: Readonly<Record<string, string>> = {}): string {
  const values = new Map(parameters.map(({ name, example }) => [name, String(example)]))
  for (const [name, value] of Object.entries(change)) values.set(name, value)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values.get(name)!))
  const query = new URLSearchParams()
  for (const { name, in: place } of parameters) if (place === 'query') query.set(name, values.get(name)!)
  return query.size === 0 ? filled : `${filled}?${query.toString()}`
}

const ALL = { authorization: 'Bearer tmq_all' }

describe('the document', () => {
  test('has every call', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(new Set(calls.map(({ operation }) => operation.operationId))).toEqual(new Set(routes.map(({ id }) => id)))
  })

  test('leads to components that are there', () => {
    const referenced = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      (match) => match[1]!,
    )
    expect(new Set(referenced)).toEqual(new Set(Object.keys(document.components.schemas)))
  })

  test('says and shows something of every field', () => {
    const mute: string[] = []
    const look = (node: JsonNode & { readonly description?: string }, path: string): void => {
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        const isRef = field.$ref !== undefined
        if (!isRef && (field.description === undefined || field.description === '')) mute.push(`${path}.${name}`)
        look(field, `${path}.${name}`)
      }
      if (node.items !== undefined) look(node.items, `${path}[]`)
    }
    for (const [name, schema] of Object.entries(document.components.schemas)) look(schema, name)
    // Settings of redelivery and the like are described in the configuration, as sections there.
    expect(mute.filter((path) => !path.startsWith('QueueSettings.'))).toEqual([])
    for (const { operation } of calls) {
      for (const { description, example, name } of operation.parameters) {
        expect(description, `${operation.operationId} ${name}`).toBeTruthy()
        expect(example, `${operation.operationId} ${name}`).toBeDefined()
      }
    }
  })

  test('has no example that its own schema refuses', () => {
    for (const route of routes) {
      const { params, query, body, answer } = schemasOf(route)
      for (const schema of [params, query, body, answer]) {
        if (schema === undefined || route.contentType === 'application/octet-stream') continue
        expect(schema.safeParse(exampleOf(schema)).error?.issues, route.id).toBeUndefined()
      }
    }
  })
})

describe('every call', () => {
  test('without a login is answered 401, unless it needs none', async () => {
    for (const { method, path, operation } of calls) {
      const answer = await server.app.inject({ method, url: urlOf(path, operation) })
      if (operation['x-needs'] === 'nobody') expect(answer.statusCode, operation.operationId).not.toBe(403)
      else expect(answer.json<Problem>().code, operation.operationId).toBe('NOT_LOGGED_IN')
    }
  })

  test('without its scope is answered 403, with the scope', async () => {
    for (const { method, path, operation } of calls) {
      const needs = operation['x-needs']
      if (needs === 'nobody' || needs === 'user') continue
      const other = needs === 'messages' ? 'read' : 'messages'
      const answer = await server.app.inject({
        method,
        url: urlOf(path, operation),
        headers: { authorization: `Bearer tmq_${other}` },
      })
      expect(answer.json<Problem>(), operation.operationId).toMatchObject({ code: 'NOT_ALLOWED', status: 403 })
      expect(answer.json<Problem>().detail).toContain(`'${needs}'`)
    }
  })

  test('takes its examples, and answers as its schema says', async () => {
    for (const { method, path, operation } of calls) {
      if (isStream(operation) || operation.operationId === 'session.login') continue
      const payload = operation.requestBody?.content['application/json'].example
      const answer = await server.app.inject({
        method,
        url: urlOf(path, operation),
        headers: ALL,
        ...(payload !== undefined && { payload }),
      })
      const expected = Object.keys(operation.responses)[0]!
      expect(`${answer.statusCode} ${answer.statusCode < 400 ? '' : answer.body}`.trim(), operation.operationId).toBe(
        expected,
      )
      const { answer: schema } = schemasOf({ id: operation.operationId })
      if (expected === '204') expect(answer.body).toBe('')
      else if (answer.headers['content-type'] === 'application/octet-stream')
        expect([...answer.rawPayload]).toEqual([1, 2, 3])
      else expect(schema!.safeParse(answer.json()).error, operation.operationId).toBeUndefined()
    }
  })

  test('with a query that is unknown is answered 400, with the one that was meant', async () => {
    for (const { method, path, operation } of calls) {
      if (operation['x-needs'] === 'nobody') continue
      const url = urlOf(path, operation)
      const answer = await server.app.inject({
        method,
        url: `${url}${url.includes('?') ? '&' : '?'}limitt=1`,
        headers: ALL,
      })
      const problem = answer.json<Problem>()
      const faults = [problem, ...(problem.others ?? [])]
      expect(
        faults.some(({ field }) => field === 'limitt'),
        `${operation.operationId} ${answer.body}`,
      ).toBe(true)
      if (operation.parameters.some(({ name }) => name === 'limit'))
        expect(problem.detail).toContain('did you mean limit?')
    }
  })

  test('with a number beyond its limit is answered 400 with field, value and rule', async () => {
    let tried = 0
    for (const { method, path, operation } of calls) {
      for (const { name, schema } of operation.parameters) {
        if (schema.type !== 'integer') continue
        tried++
        const answer = await server.app.inject({ method, url: urlOf(path, operation, { [name]: '-1' }), headers: ALL })
        expect(answer.json<Problem>(), `${operation.operationId} ${name}`).toMatchObject({
          code: 'INVALID',
          status: 400,
          field: name,
          value: -1,
        })
        expect(answer.json<Problem>().rule).toMatch(/^a whole number from \d+ to \d+$/)
        const text = await server.app.inject({ method, url: urlOf(path, operation, { [name]: '1e3' }), headers: ALL })
        expect(text.json<Problem>(), `${operation.operationId} ${name}`).toMatchObject({ field: name, value: '1e3' })
      }
    }
    expect(tried).toBeGreaterThan(15)
  })

  test('with a truth value that is neither true nor false is answered 400', async () => {
    for (const { method, path, operation } of calls) {
      for (const { name, schema } of operation.parameters) {
        if (schema.type !== 'boolean') continue
        const answer = await server.app.inject({ method, url: urlOf(path, operation, { [name]: 'yes' }), headers: ALL })
        expect(answer.json<Problem>(), operation.operationId).toMatchObject({
          field: name,
          value: 'yes',
          rule: 'true or false',
        })
      }
    }
  })

  test('with a body whose field has the wrong type is answered 400 with field, value and rule', async () => {
    for (const { method, path, operation } of calls) {
      const example = operation.requestBody?.content['application/json'].example
      if (example === undefined) continue
      const url = urlOf(path, operation)
      for (const name of Object.keys(example)) {
        const answer = await server.app.inject({
          method,
          url,
          headers: ALL,
          payload: { ...example, [name]: { wrong: true } },
        })
        if (['settings', 'properties', 'definitions', 'changes'].includes(name)) continue // objects, whose own fields are looked at
        const problem = answer.json<Problem>()
        expect(problem, `${operation.operationId} ${name}`).toMatchObject({ code: 'INVALID', field: name })
        expect(problem.rule).toBeTruthy()
        if (name !== 'password') expect(problem.value).toBe('an object')
      }
      const unknown = await server.app.inject({ method, url, headers: ALL, payload: { ...example, nonsense: 1 } })
      expect(unknown.json<Problem>(), operation.operationId).toMatchObject({ code: 'INVALID', field: 'nonsense' })
    }
  })

  test('that has no body refuses one', async () => {
    for (const { method, path, operation } of calls) {
      if (operation.requestBody !== undefined || method === 'GET') continue
      const answer = await server.app.inject({ method, url: urlOf(path, operation), headers: ALL, payload: { x: 1 } })
      expect(answer.json<Problem>(), operation.operationId).toMatchObject({ code: 'INVALID', field: 'body' })
    }
  })
})

test('every write is in the audit log, and nothing that only looks', async () => {
  broker.audit.length = 0
  for (const { method, path, operation } of calls) {
    if (isStream(operation) || operation.operationId === 'session.login') continue
    const payload = operation.requestBody?.content['application/json'].example
    await server.app.inject({
      method,
      url: urlOf(path, operation),
      headers: ALL,
      ...(payload !== undefined && { payload }),
    })
  }
  const expected = calls.filter(
    ({ method, operation }) =>
      method !== 'GET' && operation['x-needs'] !== 'messages' && operation.operationId !== 'session.login',
  )
  expect(broker.audit.map(({ action }) => action).sort()).toEqual(
    expected.map(({ operation }) => operation.operationId).sort(),
  )
  expect(broker.audit.find(({ action }) => action === 'queues.purge')).toEqual({
    user: 'ann',
    action: 'queues.purge',
    target: 'orders',
    outcome: 'done',
    detail: '',
    address: '127.0.0.1',
    by: 'token',
  })
})

test('a write whose answer cannot be written was done all the same, and is in the audit log once', async () => {
  const own = new FakeBroker()
  const handlers = own.handlers([bind(purgeQueue, () => ({ count: 1n, bytes: 0 }) as never)])
  const broken = await own.server({ handlers })
  const answer = await broken.app.inject({
    method: 'POST',
    url: '/api/v1/vhosts/%2F/queues/orders/purge',
    headers: ALL,
  })
  expect(answer.json<Problem>().code).toBe('BROKEN')
  expect(own.audit.map(({ outcome }) => outcome)).toEqual(['done'])
  await broken.close()
})
