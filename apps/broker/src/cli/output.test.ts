import type { Page } from '@ternmq/api'
import { expect, test } from 'vitest'
import type { ConsoleIo } from '../process/console-io.ts'
import { type Listing, type ListInput, printItems, printPages, screenSize } from './output.ts'

interface Thing {
  readonly name: string
}

const LISTING: Listing<Thing> = {
  columns: [{ title: 'NAME', value: ({ name }) => name }],
  name: ({ name }) => name,
  none: 'no things',
}

class Scene {
  stdout = ''
  stderr = ''
  isTerminal = false
  failure: Error | undefined = undefined

  input(values: ListInput['values']): ListInput {
    const io = {
      stdout: {
        write: (text: string) => void (this.stdout += text),
        written: () => (this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure)),
        isTTY: this.isTerminal,
      },
      stderr: { write: (text: string) => void (this.stderr += text) },
      env: {},
      started: { command: 'ternmq', options: '', sets: '' },
    } as unknown as ConsoleIo
    return { io, values }
  }
}

/** Pages, and how many of them somebody has asked for. */
class Pages {
  askedCount = 0

  async *all(): AsyncGenerator<Page<Thing>, void, void> {
    for (const [first, second, next] of [
      ['a', 'b', 'more'],
      ['c', 'd', undefined],
    ] as const) {
      this.askedCount++
      yield { items: [{ name: first }, { name: second }], next, total: 4 }
    }
  }
}

test('pages become one table', async () => {
  const scene = new Scene()
  expect(await printPages(scene.input({}), new Pages().all(), LISTING)).toBe(0)
  expect(scene).toMatchObject({ stdout: 'NAME\na\nb\nc\nd\n', stderr: '' })
})

test('no page is asked for that nobody wants, and what is left out is told', async () => {
  const scene = new Scene()
  const pages = new Pages()
  await printPages(scene.input({ limit: '2' }), pages.all(), LISTING)
  expect(scene).toMatchObject({ stdout: 'NAME\na\nb\n', stderr: '2 shown, of 4\n' })
  expect(pages.askedCount).toBe(1)
})

test('scripts get names, or a JSON object a line, and nothing besides', async () => {
  for (const [values, text] of [
    [{ names: true, limit: '3' }, 'a\nb\nc\n'],
    [{ names0: true, limit: '3' }, 'a\0b\0c\0'],
    [{ json: true, limit: '1' }, '{"name":"a"}\n'],
  ] as const) {
    const scene = new Scene()
    await printPages(scene.input(values), new Pages().all(), LISTING)
    expect(scene).toMatchObject({ stdout: text, stderr: '' })
  }
})

test('of an empty list people are told, and scripts get nothing', async () => {
  const people = new Scene()
  await printItems(people.input({}), [], LISTING)
  expect(people).toMatchObject({ stdout: '', stderr: 'no things\n' })
  const script = new Scene()
  await printItems(script.input({ json: true }), [], LISTING)
  expect(script).toMatchObject({ stdout: '', stderr: '' })
})

const HOSTILE = ['fine', 'harmless\npayroll', '\u001B]0;pwned\u0007', '\u009B31m', 'a\u2028b', '\u202Egnp'].map(
  (name) => ({ name }),
)

test('with --names a line is a name as it is: what cannot be one is told and left out, and the exit code says so', async () => {
  const scene = new Scene()
  expect(await printItems(scene.input({ names: true }), HOSTILE, LISTING)).toBe(1)
  expect(scene.stdout).toBe('fine\n')
  expect(scene.stderr).toBe(
    "ternmq: 5 names left out, with characters that are no part of a line: 'harmless\\npayroll', '\\u{1b}]0;pwned\\u{7}', " +
      "'\\u{9b}31m', 'a\\u{2028}b', '\\u{202e}gnp'; --names0 prints them for `xargs -0`, --json as JSON\n",
  )
})

test('of very many names that are left out the first ones are told', async () => {
  const scene = new Scene()
  const items = Array.from({ length: 1_007 }, (_, index) => ({ name: `${index}\n` }))
  expect(await printItems(scene.input({ names: true }), items, LISTING)).toBe(1)
  expect(scene.stderr).toMatch(/^ternmq: 1,007 names left out.*: '0\\n', .*'4\\n' and 1,002 more; --names0/)
})

test('with --names0 all names are there as they are, but at a terminal as escapes', async () => {
  const script = new Scene()
  expect(await printItems(script.input({ names0: true }), HOSTILE, LISTING)).toBe(0)
  expect(script.stdout).toBe(HOSTILE.map(({ name }) => `${name}\0`).join(''))
  const people = new Scene()
  people.isTerminal = true
  await printItems(people.input({ names0: true }), HOSTILE.slice(1, 3), LISTING)
  expect(people.stdout).toBe('harmless\\npayroll\0\\u{1b}]0;pwned\\u{7}\0')
})

test('JSON has no character that a terminal obeys, and the same values', async () => {
  const scene = new Scene()
  await printItems(scene.input({ json: true }), HOSTILE, LISTING)
  expect(scene.stdout).toMatch(/^[ -~\n]*$/)
  const lines = scene.stdout.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as Thing)).toEqual(HOSTILE)
})

test('a list is one of three things', async () => {
  const both = printItems(new Scene().input({ json: true, names: true }), [], LISTING)
  await expect(both).rejects.toThrow('--json, --names and --names0 exclude one another')
})

test('no further page is asked for when nobody reads the first', async () => {
  const scene = new Scene()
  scene.failure = new Error('EPIPE')
  const pages = new Pages()
  await expect(printPages(scene.input({}), pages.all(), LISTING)).rejects.toThrow('EPIPE')
  expect(pages.askedCount).toBe(1)
})

test.each([
  [
    { columns: 120, rows: 40 },
    { width: 120, height: 40 },
  ],
  [
    { columns: 0, rows: 0 },
    { width: 80, height: 24 },
  ],
  [{}, { width: 80, height: 24 }],
])('a screen of %j is drawn on as %j', (stdout, size) => {
  expect(screenSize({ stdout } as unknown as ConsoleIo)).toEqual(size)
})
