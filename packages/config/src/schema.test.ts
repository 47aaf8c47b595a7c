import { describe, expect, test } from 'vitest'
import { allowedText, configJsonSchema, type JsonSchema } from './json-schema.ts'
import { configSchema } from './schema.ts'
import { sections, settings } from './settings.ts'

const numbers = [...settings.values()].filter(({ jsonSchema }) => jsonSchema.type === 'integer')

test('without any setting there are four listeners, on this machine only, and one port for all that is not open', () => {
  const { mqtt, mqtts, ws, wss, any } = configSchema.parse({}).listeners
  expect([mqtt, mqtts, ws, wss, any].map(({ enabled, host, port }) => ({ enabled, host, port }))).toEqual([
    { enabled: true, host: '127.0.0.1', port: 1883 },
    { enabled: true, host: '127.0.0.1', port: 8883 },
    { enabled: true, host: '127.0.0.1', port: 8083 },
    { enabled: true, host: '127.0.0.1', port: 8084 },
    { enabled: false, host: '127.0.0.1', port: 61616 },
  ])
})

test('every default is allowed', () => {
  for (const { key, schema, defaultValue } of settings.values()) {
    expect(schema.safeParse(defaultValue), key).toMatchObject({ success: true, data: defaultValue })
  }
})

test('every setting has a description and says when a change counts', () => {
  for (const { key, description, reload } of settings.values()) {
    expect(description, key).toMatch(/^[A-Z`].*[.\]]$/s)
    expect(['live', 'connection', 'start'], key).toContain(reload)
  }
})

test('every section but the whole has a description', () => {
  for (const { key, description } of sections.values()) expect(description, key).toMatch(key === '' ? /^$/ : /\.$/)
})

test('every number has a smallest and a largest value of its own, and its default lies between', () => {
  expect(numbers.length).toBeGreaterThan(20)
  for (const { key, jsonSchema, defaultValue } of numbers) {
    expect(jsonSchema.minimum, key).toBeGreaterThanOrEqual(0)
    expect(jsonSchema.maximum, key).toBeLessThan(Number.MAX_SAFE_INTEGER)
    expect(defaultValue, key).toBeGreaterThanOrEqual(jsonSchema.minimum ?? NaN)
    expect(defaultValue, key).toBeLessThanOrEqual(jsonSchema.maximum ?? NaN)
  }
})

test('every number takes its smallest and its largest value and neither of those beyond, nor a fraction', () => {
  for (const { key, schema, jsonSchema } of numbers) {
    const { minimum = NaN, maximum = NaN } = jsonSchema
    const taken = [minimum - 1, minimum, maximum, maximum + 1, minimum + 0.5].map(
      (value) => schema.safeParse(value).success,
    )
    expect(taken, key).toEqual([false, true, true, false, false])
  }
})

test('a share or a factor takes its smallest and its largest value and fractions between, and nothing beyond', () => {
  const fractions = [...settings.values()].filter(({ jsonSchema }) => jsonSchema.type === 'number')
  expect(fractions.map(({ key }) => key)).toEqual([
    'queues.redelivery.multiplier',
    'queues.redelivery.jitter',
    'tracing.sampleRatio',
  ])
  for (const { key, schema, jsonSchema, defaultValue } of fractions) {
    const { minimum = NaN, maximum = NaN } = jsonSchema
    const taken = [minimum - 0.01, minimum, minimum + 0.5, maximum, maximum + 0.01, Infinity, NaN].map(
      (value) => schema.safeParse(value).success,
    )
    expect(taken, key).toEqual([false, true, true, true, false, false, false])
    expect(schema.safeParse(defaultValue).success, key).toBe(true)
  }
})

test('a policy takes every key of the queues section but the one that is about queues not yet there', () => {
  const policies = settings.get('policies')?.jsonSchema.items?.properties?.['settings']
  const queues = configJsonSchema().properties?.['queues']
  expect(namesIn(policies)).toEqual(namesIn(queues).filter((name) => name !== 'autoCreate'))
})

test('every list has a largest length', () => {
  const lists = [...settings.values()].filter(({ jsonSchema }) => jsonSchema.type === 'array')
  expect(lists.map(({ key }) => key)).toContain('auth.rules')
  for (const { key, jsonSchema } of lists) expect(jsonSchema.maxItems, key).toBeGreaterThan(0)
})

test('a setting that sounds like a secret is marked as one', () => {
  const sounding = [...settings.values()].filter(({ path }) =>
    /password|passphrase|secret|token/i.test(path.at(-1) ?? ''),
  )
  expect(sounding.filter(({ isSecret }) => !isSecret)).toEqual([])
})

test('environment variables are TERNMQ_, the path in upper case, two underscores between names, and each means one setting', () => {
  const variables = [...settings.values()].map(({ environment }) => environment)
  expect(settings.get('mqtt.maxPacketBytes')?.environment).toBe('TERNMQ_MQTT__MAX_PACKET_BYTES')
  expect(settings.get('mqtt.mqtt3ReceiveMaximum')?.environment).toBe('TERNMQ_MQTT__MQTT3_RECEIVE_MAXIMUM')
  expect(settings.get('dataDir')?.environment).toBe('TERNMQ_DATA_DIR')
  expect(new Set(variables).size).toBe(settings.size)
})

describe('hosts', () => {
  const host = settings.get('listeners.mqtt.host')?.schema

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '::',
    '::1',
    'fe80::1%eth0',
    'localhost',
    'broker.example.com',
    'a-b.c',
    'x'.repeat(63),
  ])('may be %s', (text) => expect(host?.safeParse(text).success).toBe(true))

  test.each([
    '',
    '*',
    '10.0.0.256',
    '127.1',
    '1883',
    '[::1]',
    '127.0.0.1:1883',
    'a..b',
    '-a',
    'a-',
    'a_b',
    'a b',
    'x'.repeat(64),
  ])('may not be "%s"', (text) => expect(host?.safeParse(text).success).toBe(false))
})

describe('origins', () => {
  const origins = settings.get('listeners.ws.allowedOrigins')?.schema

  test.each([
    'https://app.example.com',
    'http://localhost:3000',
    'https://[::1]:8443',
    'capacitor://localhost',
    'null',
    'loopback',
    '*',
  ])('may be %s', (text) => expect(origins?.safeParse([text]).success).toBe(true))

  test.each([
    '',
    '**',
    'localhost',
    'example.com',
    'https://',
    'https://a/',
    'https://a/b',
    'https://a?b',
    'https://a#b',
    'https://a b',
    'https://me@a',
    'https://A.example',
    'https://*.example',
    'https://a:443',
    'https://a:99999',
  ])('may not be "%s"', (text) => {
    expect(origins?.safeParse([text]).success).toBe(false)
  })
})

describe('as JSON Schema', () => {
  const schema = configJsonSchema()

  test('names the dialect and allows no key that it does not list', () => {
    expect(schema.$schema).toContain('2020-12')
    for (const part of objectsIn(schema)) expect(part.additionalProperties).toBe(false)
  })

  test('requires nothing that has a default', () => {
    expect(schema.required ?? []).toEqual([])
    expect(schema.properties?.['mqtt']?.required ?? []).toEqual([])
    expect(schema.properties?.['auth']?.properties?.['rules']?.items?.required).toEqual(['topics'])
  })

  test('carries default, limits and description of a setting', () => {
    expect(schema.properties?.['mqtt']?.properties?.['maxPacketBytes']).toMatchObject({
      type: 'integer',
      default: 1_048_576,
      minimum: 1_024,
      maximum: 268_435_460,
      reload: 'connection',
      description: expect.stringContaining('Largest packet accepted') as unknown,
    })
  })

  test('calls no list read-only', () => {
    expect(JSON.stringify(schema)).not.toContain('readOnly')
  })
})

test('what is allowed can be said of every setting', () => {
  for (const { key, jsonSchema } of settings.values())
    expect(allowedText(jsonSchema), key).not.toMatch(/undefined|section|^text$/)
})

/** Names of all values, with those of the sections around them, in the order of the schema. */
function namesIn(schema: JsonSchema | undefined, prefix = ''): string[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, part]) =>
    part.type === 'object' ? namesIn(part, `${prefix}${name}.`) : [prefix + name],
  )
}

function objectsIn(schema: JsonSchema): JsonSchema[] {
  const parts = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])]
  return [...(schema.type === 'object' ? [schema] : []), ...parts.flatMap(objectsIn)]
}
