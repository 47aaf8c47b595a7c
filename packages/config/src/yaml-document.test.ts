import { expect, test } from 'vitest'
import { asYaml, readYaml } from './yaml-document.ts'

test('a document comes back as it was, and JSON is read as well', () => {
  const document = { version: 1, queues: [{ name: 'a: b', settings: { messagesMax: 5 } }] }
  expect(readYaml(asYaml(document))).toEqual(document)
  expect(readYaml(JSON.stringify(document))).toEqual(document)
})

test('what cannot be read is told with its place', () => {
  expect(() => readYaml('a: [1')).toThrow(/line 1, column 6/)
})
