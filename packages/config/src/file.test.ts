import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'
import { FILE_BYTES_MAX } from './file.ts'
import { loadConfig } from './load.ts'

const scratch = new Scratch()

/** Every line one sentence, the first thing in it the file. */
function only(errors: readonly string[]): string {
  expect(errors).toHaveLength(1)
  return errors[0] ?? ''
}

describe('a file that is fine', () => {
  test.each([
    ['an empty one', ''],
    ['one with comments only', '# mqtt:\n#   maxQos: 1\n'],
    ['one with an empty section', 'mqtt:\n  # maxQos: 1\nlog:\n'],
    ['one that is null', '~'],
  ])('%s leaves the defaults', (_, text) => {
    expect(scratch.load(text)).toMatchObject({ ok: true, config: { mqtt: { maxQos: 2 } }, warnings: [] })
  })

  test.each([
    ['YAML', 'mqtt:\n  maxQos: 1\n'],
    ['YAML with CRLF', 'mqtt:\r\n  maxQos: 1\r\n'],
    ['YAML with a byte order mark', '\ufeffmqtt:\n  maxQos: 1\n'],
    ['JSON', '{"mqtt": {"maxQos": 1}}'],
    ['JSON indented with tabs', '{\n\t"mqtt": {\n\t\t"maxQos": 1\n\t}\n}\n'],
    ['one document with its marks', '---\nmqtt: {maxQos: 1}\n...\n'],
    ['an alias', 'mqtt: {maxQos: &one 1, topicAliasMax: *one}'],
  ])('%s is read', (_, text) => {
    expect(scratch.load(text)).toMatchObject({ ok: true, config: { mqtt: { maxQos: 1 } } })
  })

  test('a whole section may be an alias, and its values are those of the anchor', () => {
    const text = 'listeners:\n  mqtts:\n    tls: &tls {cert: a.pem, key: a.key}\n  wss:\n    tls: *tls\n'
    const result = scratch.load(text)
    expect(result).toMatchObject({
      ok: true,
      config: { listeners: { wss: { tls: { cert: join(scratch.folder, 'a.pem') } } } },
    })
    expect(result.ok && result.sources.get('listeners.wss.tls.cert')?.text).toBe('file config.yaml:3:22')
  })

  test('an alias stands for the last anchor of that name before it', () => {
    const text = 'mqtt: {maxQos: &n 1, topicAliasMax: *n, maxTopicLevels: &n 9, outboundTopicAliasMax: *n}'
    expect(scratch.load(text)).toMatchObject({
      ok: true,
      config: { mqtt: { topicAliasMax: 1, outboundTopicAliasMax: 9 } },
    })
  })

  test('a symbolic link is followed, as container platforms need it', () => {
    scratch.write('target.yaml', 'log: {level: debug}')
    symlinkSync('target.yaml', join(scratch.folder, 'link.yaml'))
    expect(loadConfig({ file: 'link.yaml', cwd: scratch.folder })).toMatchObject({
      ok: true,
      config: { log: { level: 'debug' } },
    })
  })
})

describe('a file that cannot be read', () => {
  test('that is not there is named', () => {
    expect(loadConfig({ file: 'missing.yaml', cwd: scratch.folder })).toEqual({
      ok: false,
      errors: ['missing.yaml: does not exist'],
      warnings: [],
    })
  })

  test('that is a folder is named', () => {
    mkdirSync(join(scratch.folder, 'folder'))
    expect(loadConfig({ file: 'folder', cwd: scratch.folder })).toMatchObject({ errors: ['folder: is not a file'] })
  })

  test('that is not UTF-8 is refused', () => {
    expect(only(scratch.errorsIn(Buffer.from('a: 1\nb: ä\xff', 'latin1')))).toBe(
      'config.yaml:2:4: this is not UTF-8 text; save the file as UTF-8',
    )
  })

  test('that is longer than 1 MiB is refused without parsing it, one of exactly that length is read', () => {
    expect(scratch.load('#'.repeat(FILE_BYTES_MAX))).toMatchObject({ ok: true })
    expect(only(scratch.errorsIn('#'.repeat(FILE_BYTES_MAX + 1)))).toBe(
      'config.yaml: has more than 1048576 bytes, which is the longest a configuration may be',
    )
  })
})

describe('a file with a fault in its syntax is refused with one sentence:', () => {
  test.each([
    [
      'tabs as indentation',
      'mqtt:\n\tmaxQos: 1',
      'config.yaml:2:1: this is not valid YAML: Tabs are not allowed as indentation',
    ],
    ['two documents', 'log: {}\n---\nlog: {}', 'config.yaml:2:1: a second document begins; write one only'],
    [
      'a tag of a language',
      'log: !!js/function x',
      "config.yaml:1:6: the tag !!js/function is none of YAML's core schema that fits here; leave it out",
    ],
    ['an alias without anchor', 'log: *x', 'config.yaml:1:6: no anchor &x stands before the alias *x'],
    ['an alias before its anchor', 'log: *x\nmqtt: &x {}', 'config.yaml:1:6: no anchor &x stands before the alias *x'],
    [
      'a list instead of a section',
      'mqtt: [1, 2]',
      /^config\.yaml:1:7: mqtt is \[1,2\]; allowed is a section with maxPacketBytes, /,
    ],
    ['a list as the whole', '[1]', /^config\.yaml:1:1: the content is \[1\]; allowed is a section with dataDir, /],
    ['text as the whole', 'hello', /^config\.yaml:1:1: the content is "hello"; allowed is a section with dataDir, /],
    ['a section as a key', '{a: 1}: 2', 'config.yaml:1:1: a key is not a name'],
  ])('%s', (_, text, sentence) => {
    expect(only(scratch.errorsIn(text))).toMatch(sentence)
  })

  test('of several faults only the first is told, the others may follow from it', () => {
    expect(only(scratch.errorsIn('a: b: c: d\n[x'))).toMatch(/^config\.yaml:1:/)
  })
})

describe('a key given twice', () => {
  test('is an error that names both lines', () => {
    expect(only(scratch.errorsIn('mqtt:\n  maxQos: 1\n  maxQos: 2\n'))).toBe(
      'config.yaml:3:3: maxQos is given twice, the first time in line 2; keep one',
    )
  })

  test('is found in a rule too', () => {
    const text = 'auth:\n  rules:\n    - {user: a, user: b, allow: [read], topics: [t]}\n'
    expect(only(scratch.errorsIn(text))).toBe(
      'config.yaml:3:17: user is given twice, the first time in line 3; keep one',
    )
  })
})

describe('a file that wants to be more than it is', () => {
  test('by aliases of aliases is refused', () => {
    const lines = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, index, all) => {
      const previous = all[index - 1]
      return `    - &${name} [${previous === undefined ? 'x' : Array(20).fill(`*${previous}`).join(', ')}]`
    })
    expect(only(scratch.errorsIn(`auth:\n  rules:\n${lines.join('\n')}\n`))).toMatch(
      /^config\.yaml:\d+:\d+: with all that its aliases stand for, the text has more than 1048576 characters$/,
    )
  })

  test('by an alias inside its own anchor is refused', () => {
    expect(only(scratch.errorsIn('auth:\n  rules: &x [*x]\n'))).toBe(
      'config.yaml:2:14: the alias *x stands within &x, which would have no end',
    )
  })

  test('by nesting that the parser cannot follow is refused', () => {
    expect(only(scratch.errorsIn(`log: ${'['.repeat(3_000)}`))).toMatch(
      /^config\.yaml:1:\d+: values are nested more than 20 deep$/,
    )
  })

  test('by names that are special to JavaScript is refused like any other unknown key', () => {
    const errors = scratch.errorsIn('__proto__: {a: 1}\nconstructor: 1\ntoString: 1\nhasOwnProperty: 1\n')
    expect(errors.map((error) => error.split(';')[0])).toEqual([
      'config.yaml:1:1: __proto__ is not a known key',
      'config.yaml:2:1: constructor is not a known key',
      'config.yaml:3:1: toString is not a known key',
      'config.yaml:4:1: hasOwnProperty is not a known key',
    ])
    const inRule = scratch.errorsIn('auth: {rules: [{user: a, allow: [read], topics: [t], __proto__: {x: 1}}]}')
    expect(only(inRule)).toContain('auth.rules[0].__proto__ is not a known key')
  })

  test('by very many mistakes shows a hundred of them and the number of the others', () => {
    const errors = scratch.errorsIn(Array.from({ length: 2_000 }, (_, index) => `key${index}: 1`).join('\n'))
    expect(errors).toHaveLength(101)
    expect(errors.at(-1)).toBe('1900 more problems are not shown')
  })

  test('by a very long name shows its beginning', () => {
    const error = only(scratch.errorsIn(`${'x'.repeat(1_000)}: 1`))
    expect(error).toContain(`: ${'x'.repeat(80)}… is not a known key`)
  })

  test('by control characters in a name shows them escaped', () => {
    expect(only(scratch.errorsIn('"\\e[31mred\\nline": 1'))).toContain(
      String.raw`"\u001b[31mred\nline" is not a known key`,
    )
  })
})

test('whatever happens to a file, it is accepted or answered with sentences of one line that begin with its name', () => {
  const example = readFileSync(join(import.meta.dirname, '../../../examples/config/ternmq.yaml'), 'utf8')
  const shards = [
    '&a ',
    '*a',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '\n',
    '\t',
    '\0',
    '|\n',
    '? ',
    '!!x ',
    '#',
    '%',
    '---\n',
    '\ud83d\ude00',
    '\u2028',
  ]
  const change = fc.record({
    at: fc.nat(example.length),
    length: fc.nat(20),
    text: fc.oneof(fc.constantFrom(...shards), fc.string()),
  })
  let refused = 0
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const text = changes.reduce(
        (all, { at, length, text: put }) => all.slice(0, at) + put + all.slice(at + length),
        example,
      )
      for (const error of scratch.errorsIn(text)) {
        expect(error).toMatch(/^config\.yaml: ?[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+$/u)
        refused++
      }
    }),
    { numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(0)
})
