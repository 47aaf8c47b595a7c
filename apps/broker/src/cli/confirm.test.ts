import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { ConsoleIo } from '../process/console-io.ts'
import { BrokerError, UsageError } from '../errors.ts'
import { confirm } from './confirm.ts'

/** A terminal at which somebody answers. */
function terminal(answer: string, isTTY = true): { readonly io: ConsoleIo; readonly asked: () => string } {
  const stdin = Object.assign(new PassThrough(), { isTTY })
  const stderr = Object.assign(new PassThrough(), { isTTY })
  stdin.end(`${answer}\n`)
  return { io: { stdin, stderr } as unknown as ConsoleIo, asked: () => String(stderr.read() ?? '') }
}

test.each(['y', 'Yes', ' YES '])('%j is a yes', async (answer) => {
  const { io, asked } = terminal(answer)
  await confirm("purge queue 'orders' of 2 messages", { io, values: {} })
  expect(asked()).toBe("Purge queue 'orders' of 2 messages? [y/N] ")
})

test.each(['', 'n', 'yess', 'no'])('%j is none, and nothing is done', async (answer) => {
  const refused = confirm('purge', { io: terminal(answer).io, values: {} })
  await expect(refused).rejects.toThrow(new BrokerError('NOT_CONFIRMED', 'nothing has changed'))
})

test('who said yes before is not asked; where nobody can be asked that is needed', async () => {
  const { io, asked } = terminal('n')
  await confirm('purge', { io, values: { yes: true } })
  expect(asked()).toBe('')
  await expect(confirm('purge', { io: terminal('y', false).io, values: {} })).rejects.toThrow(
    new UsageError('there is no terminal to ask at whether to purge; give --yes'),
  )
})
