import type { Page } from '@ternmq/api'
import { expect, test } from 'vitest'
import type { ConsoleIo } from '../console-io.ts'
import { type Listing, type ListInput, printItems, printPages } from './output.ts'

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

  input(values: ListInput['values']): ListInput {
    const io = {
      stdout: { write: (text: string) => void (this.stdout += text) },
      stderr: { write: (text: string) => void (this.stderr += text) },
      env: {},
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
