/** What pages that are written by hand name: commands with their options, and settings. All of it exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLineReference, type OptionReference } from '@ternmq/broker/cli'
import { settings } from '@ternmq/config'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..', '..')
/** Decisions are of their day. */
const HISTORY = join('docs', 'adr')

interface Page {
  readonly name: string
  readonly text: string
}

function pages(): Page[] {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('docs', name),
  )
  const examples = readdirSync(join(ROOT, 'examples')).map((name) => join('examples', name, 'README.md'))
  return ['README.md', ...inDocs.filter((name) => name.endsWith('.md')), ...examples]
    .filter((name) => !name.startsWith(HISTORY) && existsSync(join(ROOT, name)))
    .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }))
}

const BLOCK = /^```\w*\n[\s\S]*?^```$/gm

/** Lines of blocks, and what stands between backticks outside of them. */
function codeOf({ text }: Page): string[] {
  const blocks = [...text.matchAll(BLOCK)].flatMap(([block]) => block.split('\n').slice(1, -1))
  return [...blocks, ...spansOf(text)]
}

function spansOf(text: string): string[] {
  return [...text.replaceAll(BLOCK, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)
}

/** Where a command line begins; elsewhere `ternmq` is a user, a group or an image. */
const COMMAND =
  /(?:^|[;|(] ?|npx |docker exec ternmq |npm run -s |[A-Z_]+=\S+ )ternmq(?: --)? ([a-z]+)((?: [^;|)#]+)?)/g

/** Undefined when all of it is known. */
function faultOf(noun: string, rest: string, { nouns, brokerOptions, configOptions }: Reference): string | undefined {
  const found = nouns.find(({ name }) => name === noun)
  if (found === undefined) return `there is no command '${noun}'`
  const [verb = ''] = rest.trim().split(' ')
  const isNamed = found.commands.length > 1 && /^[a-z]+$/.test(verb)
  const command = found.commands.find(({ usage }) => usage.split(' ')[1] === verb)
  if (isNamed && command === undefined) return `there is no '${noun} ${verb}'`
  const own = command === undefined ? found.commands.flatMap(({ options }) => options) : command.options
  const known = new Set([...own, ...brokerOptions, ...configOptions].flatMap(optionNames))
  const unknown = [...rest.matchAll(/(?<= )--[a-z-]+/g)].map(([option]) => option).find((option) => !known.has(option))
  return unknown === undefined ? undefined : `'${noun} ${verb}' has no option ${unknown}`
}

type Reference = Awaited<ReturnType<typeof commandLineReference>>

function optionNames({ text }: OptionReference): string[] {
  return text.match(/--[a-z-]+/g) ?? []
}

test('every command that a page names exists, with its options', async () => {
  const reference = await commandLineReference()
  const mentions = pages().flatMap((page) =>
    codeOf(page).flatMap((line) =>
      [...line.matchAll(COMMAND)].map(([, noun, rest]) => ({ page, noun: noun!, rest: rest! })),
    ),
  )
  const faults = mentions.flatMap(({ page, noun, rest }) => {
    const fault = faultOf(noun, rest, reference)
    return fault === undefined ? [] : [`${page.name}: ${fault}`]
  })
  expect(faults).toEqual([])
  expect(mentions.length).toBeGreaterThan(100)
})

/** `stomp.py` is none, nor is a file of the source. */
const FILE = /\.(?:js|json|md|py|ts)$/

test('every setting that a page names exists', () => {
  const keys = [...settings.keys()]
  const sections = new Set(keys.filter((key) => key.includes('.')).map((key) => key.split('.')[0]))
  const isKnown = (name: string): boolean => keys.some((key) => key === name || key.startsWith(`${name}.`))
  const mentions = pages().flatMap((page) =>
    spansOf(page.text)
      .map((span) => /^([a-z]+(?:\.\w+)+)(?:[=:].*)?$/.exec(span)?.[1])
      .filter((name) => name !== undefined && !FILE.test(name) && sections.has(name.split('.')[0]))
      .map((name) => ({ page, name: name!.replace('listeners.NAME', 'listeners.any') })),
  )
  const unknown = mentions.filter(({ name }) => !isKnown(name)).map(({ page, name }) => `${page.name}: ${name}`)
  expect(unknown).toEqual([])
  expect(mentions.length).toBeGreaterThan(200)
})
