import { expect, test } from 'vitest'
import { type OpenApiDocument, operationsOf, sayType } from './openapi.ts'

const document: OpenApiDocument = {
  tags: [{ name: 'queues', description: 'Queues.' }, { name: 'empty' }],
  paths: {
    '/api/v1/queues': {
      get: {
        operationId: 'queues.list',
        summary: 'Queues.',
        tags: ['queues'],
        responses: {
          200: {
            description: 'Good',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Queue' } } },
          },
          404: { description: 'None' },
        },
      },
    },
    '/api/v1/queues/{queue}': {
      put: {
        operationId: 'queues.put',
        tags: ['queues'],
        requestBody: { content: { 'application/json': { schema: {}, example: { a: 1 } } } },
      },
    },
  },
  components: { schemas: { Queue: { type: 'object', properties: { name: { type: 'string' } } } } },
}

test('calls stand by tag, good answers with them, and tags without a call are left out', () => {
  const groups = operationsOf(document, '')
  expect(groups.map(({ tag, operations }) => [tag, operations.map(({ id }) => id)])).toEqual([
    ['queues', ['queues.list', 'queues.put']],
  ])
  expect(groups[0]!.operations[0]!.answers.map(({ status }) => status)).toEqual(['200'])
  expect(groups[0]!.operations[1]!.example).toEqual({ a: 1 })
})

test('a filter looks into path, id and summary', () => {
  expect(operationsOf(document, 'put').flatMap(({ operations }) => operations.map(({ id }) => id))).toEqual([
    'queues.put',
  ])
})

test('types are said in a few words', () => {
  expect(sayType({ $ref: '#/components/schemas/Queue' }, document)).toBe('Queue')
  expect(sayType({ type: 'array', items: { enum: ['a', 'b'] } }, document)).toBe('("a" | "b")[]')
  expect(sayType({ type: 'integer', minimum: 1, maximum: 500 }, document)).toBe('integer from 1 to 500')
  expect(sayType({ anyOf: [{ type: 'string' }, { type: 'null' }] }, document)).toBe('string | null')
  expect(sayType({}, document)).toBe('anything')
})
