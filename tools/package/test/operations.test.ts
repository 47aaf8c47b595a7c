/** The commands of docs/operations.md that a page can promise: each ```sh block, in its order, around a broker of the installed package. */
import { mkdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { FREE_PORTS, InstalledPackage, MAKE_MS_MAX, type Ran, ROOT, type StartedBroker } from './installed.ts'

const PAGE = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8')

let installed: InstalledPackage
let broker: StartedBroker

beforeAll(async () => {
  installed = await InstalledPackage.make()
  mkdirSync(join(installed.folder, 'backup'))
  broker = await start('data')
  const client = await connectAsync(`mqtt://localhost:${broker.port('mqtt')}`)
  await client.publishAsync('$queue/orders', 'one coffee', { qos: 1 })
  await client.endAsync()
}, MAKE_MS_MAX)

afterAll(async () => {
  await broker?.kill()
  installed?.[Symbol.dispose]()
})

function start(dataDir: string): Promise<StartedBroker> {
  return installed.start(['node_modules/.bin/ternmq'], { args: ['--data-dir', dataDir, ...FREE_PORTS] })
}

/** Blocks that are run, by the heading that they are under. */
function blocksOf(page: string): [heading: string, commands: string][] {
  return page.split(/^#+ /m).flatMap((section): [string, string][] => {
    const heading = section.slice(0, section.indexOf('\n'))
    return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands]) => [heading, commands!])
  })
}

/** As an operator's shell would, which ends at the first command that fails. */
function run(commands: string, dataDir: string): Ran {
  const script = commands.replaceAll('/backup', join(installed.folder, 'backup'))
  const path = [join(installed.folder, 'node_modules', '.bin'), installed.env['PATH']].join(delimiter)
  const assigned = [`PATH=${path}`, `TERNMQ_DATA_DIR=${join(installed.folder, dataDir)}`]
  return installed.run('env', [...assigned, 'sh', '-euc', script])
}

const RESTORE = 'Restore'

test.each(blocksOf(PAGE).filter(([heading]) => heading !== RESTORE))('%s, block %#', (_, commands) => {
  const { code, stderr } = run(commands, 'data')
  expect(code, stderr).toBe(0)
})

test('the definitions that are for others have no user in them, and no hash', () => {
  const exported = readFileSync(join(installed.folder, 'backup', 'definitions.yaml'), 'utf8')
  expect(exported).toMatch(/^queues:/m)
  expect(exported).not.toMatch(/sensor-7|scrypt|scram/i)
})

test('what was backed up is there after it was restored: messages, users, and the authority that clients trust', async () => {
  expect(await broker.stop()).toBe(0)
  const [[, commands] = ['', '']] = blocksOf(PAGE).filter(([heading]) => heading === RESTORE)
  mkdirSync(join(installed.folder, 'restored'), { mode: 0o700 })
  expect(run(commands, 'restored')).toMatchObject({ code: 0, stderr: '' })
  broker = await start('restored')
  const { stdout } = run('ternmq destinations show orders --json; ternmq users list', 'restored')
  expect(stdout).toMatch(/"readyCount": ?1\b/)
  expect(stdout).toContain('sensor-7')
  const authority = (dataDir: string): string =>
    readFileSync(join(installed.folder, dataDir, 'certificates', 'ca.pem'), 'utf8')
  expect(authority('restored')).toBe(authority('data'))
})

test('commands are on the page under the names that they have', () => {
  const names = new Set(
    [...PAGE.matchAll(/`ternmq ([a-z]+)(?: ([a-z]+))?/g)].map(([, noun, verb]) => [noun, verb].join(' ').trim()),
  )
  expect(names.size).toBeGreaterThan(10)
  const wrong = [...names].filter(
    (name) => installed.run('node_modules/.bin/ternmq', [...name.split(' '), '--help']).code !== 0,
  )
  expect(wrong).toEqual([])
})
