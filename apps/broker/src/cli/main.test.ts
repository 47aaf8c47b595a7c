import { API_HEADER } from '@ternmq/api'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ConsoleIo } from '../process/console-io.ts'
import { commandLineFault, runCommand } from './main.ts'

async function ran(...args: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  const { code, stderr } = await said(...args)
  return { code, stderr }
}

async function said(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let [stdout, stderr] = ['', '']
  const io = {
    stdout: { write: (text: string) => void (stdout += text), written: () => Promise.resolve() },
    stderr: { write: (text: string) => void (stderr += text) },
    env: {},
    started: { command: 'ternmq', options: '', sets: '' },
  } as unknown as ConsoleIo
  return { code: await runCommand(args, io), stdout, stderr }
}

test('what a terminal would obey is shown as escapes where a command line is not understood', async () => {
  expect(await ran('no\u001B]0;pwned\u0007\nsuch')).toEqual({
    code: 2,
    stderr: "ternmq: there is no command 'no\\u{1b}]0;pwned\\u{7}\\nsuch' (see `ternmq --help`)\n",
  })
  expect((await ran('destinations', 'show', 'q', '\u009B31m')).stderr).toMatch(/^ternmq: '\\u\{9b\}31m' is one arg/)
})

test.each([
  ['statsu', [], "ternmq: there is no command 'statsu'; did you mean status? (see `ternmq --help`)\n"],
  ['constructor', [], "ternmq: there is no command 'constructor' (see `ternmq --help`)\n"],
  ['frobnicate', [], "ternmq: there is no command 'frobnicate' (see `ternmq --help`)\n"],
  [
    'destinations',
    ['lits'],
    'ternmq: there is no `destinations lits`; did you mean list? (see `ternmq destinations --help`)\n',
  ],
  ['helo', [], "ternmq: there is no command 'helo'; did you mean help? (see `ternmq --help`)\n"],
  ['queues', ['list'], "ternmq: there is no command 'queues'; did you mean destinations? (see `ternmq --help`)\n"],
  ['users', ['rm'], 'ternmq: there is no `users rm`; did you mean remove? (see `ternmq users --help`)\n'],
  ['config', ['get', 'k'], 'ternmq: there is no `config get`; did you mean list? (see `ternmq config --help`)\n'],
  [
    'config',
    ['describe'],
    'ternmq: there is no `config describe`; did you mean schema? (see `ternmq config --help`)\n',
  ],
] as const)(
  'a word that is none is told with the one that resembles it, or is called so here: %s %j',
  async (noun, verbs, told) => {
    expect(await ran(noun, ...verbs)).toEqual({ code: 2, stderr: told })
  },
)

test('a server that is no broker is told in one sentence: who, what came, what to do', async () => {
  const server = createServer((_, response) => response.writeHead(200, { server: 'x' }).end('null'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await ran('destinations', 'list', '--url', url, '--token', 'tmq_x')).toEqual({
    code: 3,
    stderr:
      `ternmq: the server at ${url} is no broker's, or something before the broker has answered: it gave an answer from 'x' with ` +
      'status 200 and no content type, without the header ternmq-api; give the address that the console is opened with, and its path, if it has one\n',
  })
})

test.each([
  ['--origins', 'https://ops.example.com/', 'console.origins[0] is "https://ops.example.com/"; allowed is an origin'],
  ['--base-path', '/x', 'console.basePath is "/x"; allowed is a path that begins and ends with /'],
  ['--trusted-proxies', '10.0.0.0/99', 'console.trustedProxies[0] is "10.0.0.0/99"; allowed is an IP address'],
])('what a console alone is told of its proxy is as a broker takes it: %s %s', async (option, value, told) => {
  const { code, stderr } = await ran('console', 'http://127.0.0.1:1', option, value)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`ternmq: ${told}`) as string })
})

test('help of a command is that of --help, whichever way it is asked for', async () => {
  const { stdout } = await said('destinations', 'show', '--help')
  expect(stdout).toMatch(/^Usage: ternmq destinations show QUEUE /)
  expect(await said('help', 'destinations', 'show')).toMatchObject({ code: 0, stdout })
  expect((await said('help', 'status')).stdout).toBe((await said('status', '--help')).stdout)
  expect((await said('help', 'destinations')).stdout).toMatch(/^Usage: ternmq destinations COMMAND/)
  expect(await ran('help', 'destinations', 'shwo')).toMatchObject({ code: 2 })
})

test('an option before the command is told where it belongs', async () => {
  expect(await ran('--data-dir', 'd', 'status')).toEqual({
    code: 2,
    stderr:
      "ternmq: '--data-dir' comes after the command: ternmq COMMAND --data-dir; --help and --version stand alone (see `ternmq --help`)\n",
  })
})

test.each([
  ['LOGIN_REFUSED', 401, 'no; `ternmq users passwd NAME` on the machine of the broker sets another password\n'],
  ['NOT_LOGGED_IN', 401, 'no; `ternmq tokens create NAME` on the machine of the broker makes a token\n'],
  ['ROUTE_UNKNOWN', 404, 'no; the broker is of another version than this command, '],
  ['NOT_ALLOWED', 403, 'no\n'],
])('a refusal with %s says what to do where only whoever gives commands can', async (code, status, told) => {
  const server = createServer((_, response) =>
    response.writeHead(status, { [API_HEADER]: '1' }).end(JSON.stringify({ code, status, title: 't', detail: 'no' })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code: exit, stderr } = await ran('status', '--url', url, '--token', 'tmq_x')
  expect(exit).toBe(1)
  expect(stderr.startsWith(`ternmq: ${told}`)).toBe(true)
})

test('a server that speaks no TLS where TLS is wanted is told in one line, with what to try', async () => {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code, stderr } = await ran('status', '--url', url, '--token', 'tmq_x')
  expect(code).toBe(3)
  expect(stderr).toMatch(/^ternmq: [^\n]* it speaks no TLS there: try http:\/\/, or see console\.tls\.enabled\n$/)
})

test('why a command line would not be understood is known without running it', async () => {
  expect(await commandLineFault(['dlq', 'retry', 'DLQ', '--all'])).toBeUndefined()
  expect(await commandLineFault(['dlq', 'retry', 'DLQ', '--al'])).toBe("unknown option '--al'; did you mean --all?")
  expect(await commandLineFault(['users', 'add'])).toBe('`users add` needs NAME')
})
