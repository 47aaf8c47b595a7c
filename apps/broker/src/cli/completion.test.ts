import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { NOUNS } from '../commands/index.ts'
import { completionFor } from './completion.ts'

const nouns = await Promise.all(NOUNS.map((entry) => entry.load()))
const script = completionFor('bash', nouns)

/** What bash offers for the last word. */
function offered(...words: string[]): string[] {
  const program = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ternmq; printf '%s\\n' "\${COMPREPLY[@]}"`
  const text = execFileSync('bash', ['-c', program, 'bash', 'ternmq', ...words], { encoding: 'utf8' })
  return text.split('\n').filter((line) => line !== '')
}

test.each([
  [['de'], ['destinations', 'definitions']],
  [
    ['destinations', 's'],
    ['show', 'set'],
  ],
  [['destinations', 'list', '--k'], ['--kind']],
  [
    ['destinations', 'list', '--kind', ''],
    ['queue', 'subscription', 'temporary'],
  ],
  [
    ['status', '--u'],
    ['--url', '--user'],
  ],
  [['users', 'list', 'something', '--na'], ['--names', '--names0']],
  [
    ['resolve', 'an-address', '--pro'],
    ['--protocol', '--profile'],
  ],
  [
    ['resolve', '--protocol', 'am'],
    ['amqp10', 'amqp'],
  ],
  [['nothing', '--x'], []],
])('bash offers for %j: %j', (words, expected) => expect(offered(...words)).toEqual(expected))

test('every noun, verb and option is in the script of every shell', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const text = completionFor(shell, nouns)
    for (const { name, commands } of nouns) {
      expect(text).toContain(name)
      for (const { verb, options = {} } of commands)
        for (const word of [verb, ...Object.keys(options)]) expect(text).toContain(word)
    }
  }
})
