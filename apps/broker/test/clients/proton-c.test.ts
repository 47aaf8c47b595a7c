/** Qpid Proton's C library, from Debian's libqpid-proton11-dev: a program of our own, compiled here. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { newFolder } from '../support.ts'
import { INSTALL_MS_MAX, needs } from './debian.ts'
import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

const SOURCE = join(import.meta.dirname, 'proton-c', 'exchange.c')
/** Debian's package for development has no plain names for these two. */
const LIBRARIES = ['-l:libqpid-proton-core.so.10', '-l:libqpid-proton-proactor.so.1']

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

beforeEach(async (context) => {
  await needs(context, 'gcc')
  await needs(context, 'libc6-dev')
  await needs(context, 'libqpid-proton11-dev')
}, INSTALL_MS_MAX)

test('messages of many sizes are accepted and come back as they were, and drain says that this was all', async () => {
  const program = join(newFolder(), 'exchange')
  await Program.run('gcc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE, ...LIBRARIES])
  const args = ['localhost', String(broker.port('amqp')), `queue://test.${randomUUID()}`, '100']
  const lines = await Program.run(program, args)
  expect(lines.toSorted()).toEqual(['accepted 100', 'drained', 'received 100'])
})
