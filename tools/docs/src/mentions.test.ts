/** What pages that are written by hand name: commands with their options, and settings. All of it exists. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLineFault, commandLineReference, type OptionReference } from '@ternmq/broker/cli'
import { settings } from '@ternmq/config'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..', '..')
/** Decisions are of their day. */
const HISTORY = join('docs', 'adr')
/** Made from the table itself. */
const CLI_PAGE = join('docs', 'reference', 'cli.md')

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

/** What stands between backticks outside of blocks. */
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

test('every command that a page names in a sentence exists, with its options', async () => {
  const reference = await commandLineReference()
  const mentions = pages().flatMap((page) =>
    spansOf(page.text).flatMap((line) =>
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

/** Of blocks, each a line of a shell: what is continued on the next line is one. */
function shellLinesOf({ text }: Page): string[] {
  const blocks = [...text.matchAll(BLOCK)].map(([block]) =>
    block.replaceAll(/\\\n\s*/g, '').replaceAll(/^npm start(?: --)?(?= |$)/gm, 'ternmq start'),
  )
  return blocks.flatMap((block) => block.split('\n').slice(1, -1))
}

/** Where a command begins, which ends where its words do. */
const START =
  /(?:^|[|(&;] *|\$\(|<\( *|(?:^|\s)(?:npx|docker exec ternmq|sudo|xargs -0|runuser -u ternmq --|[A-Z_]+=\S+) )(?:npm run -s )?ternmq(?: --)? (?=[a-z-])/g

/** Words of the command that begins where `line` does, up to where a shell would end it. */
function wordsAt(line: string): string[] {
  const words: string[] = []
  let word: string | undefined = undefined
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (/[|;&)<>#]/.test(char) && (char !== '#' || word === undefined)) break
    if (char === ' ') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === "'" || char === '"') {
      const end = line.indexOf(char, at + 1)
      word = (word ?? '') + line.slice(at + 1, end)
      at = end
    } else word = (word ?? '') + char
  }
  return word === undefined ? words : [...words, word]
}

test('every command in a block of a page is understood, its arguments and options included', async () => {
  const commands = pages()
    .filter(({ name }) => name !== CLI_PAGE)
    .flatMap((page) =>
      shellLinesOf(page).flatMap((line) =>
        [...line.matchAll(START)].map((found) => ({ page, words: wordsAt(line.slice(found.index + found[0].length)) })),
      ),
    )
  const faults = await Promise.all(
    commands.map(async ({ page, words }) => {
      const fault = await commandLineFault(words)
      return fault === undefined ? [] : [`${page.name}: ternmq ${words.join(' ')}: ${fault}`]
    }),
  )
  expect(faults.flat()).toEqual([])
  expect(commands.length).toBeGreaterThan(40)
})

test('every number of the table in the README is in the page that it links', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [table = ''] = /^## How fast$[\s\S]*?(?=\n\[All benchmarks)/m.exec(readme) ?? []
  let page = ''
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| ') && /\d/.test(line))
    .map((line) => {
      const link = /\]\((docs\/benchmarks\/[\w-]+\.md)\)/.exec(line)?.[1]
      if (link !== undefined) page = readFileSync(join(ROOT, link), 'utf8')
      const [, , ours = '', theirs = ''] = line.split('|')
      // As the pages write it: '3.40M/s', '299k/s', '7861/s'.
      const numbers = `${ours} ${theirs}`.replaceAll(' million', 'M').replaceAll(',000/s', 'k/s').replaceAll(',', '')
      return { page, numbers: [...numbers.matchAll(/\d[\d.]*(?:[Mk]?\/s| µs| s)/g)].map(([number]) => number) }
    })
  expect(rows.length).toBeGreaterThan(3)
  for (const { page: text, numbers } of rows) {
    expect(numbers.length).toBeGreaterThan(0)
    for (const number of numbers) expect(text).toContain(number)
  }
})

/** `stomp.py` is none, nor is a file of the source. */
const FILE = /\.(?:js|json|md|py|ts)$/

/** From the root of the repository; `packages/mqtt/src/codec/check*.ts` are several. */
const PATH = /(?<![\w./:-])(?:apps|packages|tools)\/[\w.*/-]*[\w*]/g

test('every file and folder of the repository that a page names is there', () => {
  const contributing = { name: 'CONTRIBUTING.md', text: readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8') }
  const named = [...pages(), contributing].flatMap(({ name, text }) =>
    [...text.matchAll(PATH)].map(([path]) => ({ page: name, path })),
  )
  expect(named.length).toBeGreaterThan(100)
  expect(named.filter(({ path }) => globSync(path, { cwd: ROOT }).length === 0)).toEqual([])
})

test('every file that the architecture names by the end of its path is there', () => {
  const text = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8')
  const sources = globSync('{apps,packages,tools}/*/{src,server,web}/**/*.{ts,tsx}', { cwd: ROOT })
  const files = spansOf(text).filter((span) => /^[\w./-]+\.tsx?$/.test(span))
  expect(files.length).toBeGreaterThan(100)
  expect(files.filter((file) => !sources.some((source) => source.endsWith(`/${file}`) || source === file))).toEqual([])
})

test('every package and tool has a room in the architecture, and every folder of the broker', () => {
  const text = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8')
  const rooms = /^## The rooms\n\n```\n([\s\S]*?)^```$/m.exec(text)![1]!
  const folders = (...path: string[]): string[] =>
    readdirSync(join(ROOT, ...path), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() && entry.name !== 'node_modules' ? [entry.name] : [],
    )
  const [tools] = /^tools\/.*/m.exec(rooms)!
  const isThere = (name: string): boolean => new RegExp(`[ ,]${name}[ ,]`).test(tools)
  expect([
    ...folders('packages').filter((name) => !rooms.includes(`packages/${name} `)),
    ...folders('apps', 'broker', 'src').filter((name) => !rooms.includes(` ${name}/ `)),
    ...folders('tools').filter((name) => !isThere(name)),
  ]).toEqual([])
})

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
