import { PROFILES, PROTOCOLS } from '@ternmq/naming'
import { describe, expect, test } from 'vitest'
import { optionsOf, wordsOf } from '../cli/command.ts'
import { helpOfAll, helpOfCommand, helpOfNoun } from '../cli/help.ts'
import { OTHER_NOUNS, OTHER_VERBS } from '../cli/other-words.ts'
import { NOUNS } from './index.ts'
import * as resolveCommand from './resolve.ts'

const nouns = await Promise.all(NOUNS.map((entry) => entry.load()))
const commands = nouns.flatMap((noun) => noun.commands.map((command) => ({ noun, command })))

test('the table says of a noun what the noun says of itself', () => {
  expect(nouns.map(({ name, summary }) => ({ name, summary }))).toEqual(
    NOUNS.map(({ name, summary }) => ({ name, summary })),
  )
})

test('a noun has verbs, or is one command', () => {
  for (const { name, commands: own } of nouns) {
    const verbs = own.map(({ verb }) => verb)
    expect(new Set(verbs).size, name).toBe(verbs.length)
    if (verbs.includes('')) expect(verbs, name).toEqual([''])
  }
})

test('the protocols and profiles of options are those that there are', () => {
  expect(resolveCommand.PROTOCOLS).toEqual([...PROTOCOLS, 'amqp'])
  expect(resolveCommand.PROFILES).toEqual(PROFILES)
})

describe.each(commands.map(({ noun, command }) => [wordsOf(noun, command), noun, command] as const))(
  '`%s`',
  (_, noun, command) => {
    test('has a help with every argument and option, and no line that is too long', () => {
      const help = helpOfCommand(noun, command)
      expect(help).toContain(command.args)
      for (const name of Object.keys(optionsOf(command))) expect(help).toContain(`--${name}`)
      for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(150)
      expect(help).not.toContain('undefined')
    })

    test('says in one line what it does, without a full stop', () => {
      expect(command.summary).toMatch(/^[^\n]{5,110}[^.\n]$/)
    })
  },
)

test('verbs that a noun names when it says what it is are there', () => {
  for (const { name, summary, commands: own } of nouns.filter((noun) => noun.commands.length > 1)) {
    const named = summary.split(': ')[1]?.split(', ') ?? []
    const verbs: unknown[] = own.map(({ verb }) => verb)
    expect(verbs, name).toEqual(expect.arrayContaining(named.map((text) => text.split(' ')[0])))
  }
})

test('words from elsewhere are none of a command, and lead to one', () => {
  const names = NOUNS.map(({ name }) => name)
  const verbs = new Set(commands.map(({ command }) => command.verb))
  for (const [word, noun] of OTHER_NOUNS)
    expect([names.includes(word), names.includes(noun), word]).toEqual([false, true, word])
  for (const meant of [...OTHER_VERBS.values()].flat()) expect(verbs).toContain(meant)
})

test('the help of all names every noun, and that of a noun every verb', () => {
  const help = helpOfAll(NOUNS)
  for (const noun of nouns) {
    expect(help).toContain(`\n  ${noun.name} `)
    for (const { verb } of noun.commands) expect(helpOfNoun(noun)).toContain(verb)
  }
})
