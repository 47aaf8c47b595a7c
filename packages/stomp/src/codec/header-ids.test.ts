import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { COMMAND_NAMES, Command, commandOf, isClientCommand, isOfLogin, mayHaveBody } from './commands.ts'
import { HEADER_NAMES, HeaderId, headerIdOf, SEED, SEED_KNOWN } from './header-ids.ts'

function idOf(name: string): number {
  const bytes = Buffer.from(`..${name}..`)
  return headerIdOf(bytes, 2, bytes.length - 2)
}

function commandIn(line: string): number {
  const bytes = Buffer.from(`..${line}..`)
  return commandOf(bytes, 2, bytes.length - 2)
}

test('every known header is found by its name, and has a number of its own', () => {
  expect(HEADER_NAMES.slice(1).map(idOf)).toEqual(HEADER_NAMES.slice(1).map((_, index) => index + 1))
  expect(Object.values(HeaderId)).toEqual(HEADER_NAMES.slice(1).map((_, index) => index + 1))
  expect(new Set(HEADER_NAMES).size).toBe(HEADER_NAMES.length)
})

test('docs/interop/stomp.md says of every known header what it means', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'interop', 'stomp.md'), 'utf8')
  const isNamed = (name: string): boolean => page.includes(`\`${name}\``) || page.includes(`\`${name}:`)
  expect(HEADER_NAMES.slice(1).filter((name) => !isNamed(name))).toEqual([])
})

test('nothing is searched at the start: the known multiplier does for these names', () => {
  expect(SEED_KNOWN).toBe(SEED)
})

test('names that differ in a letter, in case or in length are other headers', () => {
  for (const name of HEADER_NAMES.slice(1)) {
    expect([name, idOf(`${name}x`), idOf(name.slice(0, -1)) === idOf(name)]).toEqual([name, 0, false])
    expect(idOf(name.toUpperCase()) === idOf(name)).toBe(name === name.toUpperCase())
    for (let at = 0; at < name.length; at++) expect(idOf(`${name.slice(0, at)}#${name.slice(at + 1)}`)).toBe(0)
  }
})

test.each(['__proto__', 'hasOwnProperty', 'constructor', 'toString', '', 'x'.repeat(10_000)])(
  '%.20s has no number',
  (name) => {
    expect(idOf(name)).toBe(0)
  },
)

test('every command is found by its name, in upper case only', () => {
  for (const [id, name] of COMMAND_NAMES.entries()) {
    if (id === 0) continue
    expect([name, commandIn(name)]).toEqual([name, id])
    expect(commandIn(name.toLowerCase())).toBe(0)
    expect(commandIn(`${name} `)).toBe(0)
    expect(commandIn(`${name.slice(0, -1)}X`)).toBe(0)
  }
  expect(commandIn('')).toBe(0)
  expect(commandIn('UNSUBSCRIBES')).toBe(0)
})

test('commands know what they are', () => {
  const named = (check: (command: number) => boolean): string[] => COMMAND_NAMES.filter((_, id) => id > 0 && check(id))
  expect(named(mayHaveBody)).toEqual(['SEND', 'MESSAGE', 'ERROR'])
  expect(named(isOfLogin)).toEqual(['CONNECT', 'STOMP', 'CONNECTED'])
  expect(named((id) => !isClientCommand(id))).toEqual(['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'])
  expect(Object.values(Command)).toHaveLength(COMMAND_NAMES.length - 1)
})
