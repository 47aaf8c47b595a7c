import { API_HEADER, API_HEADER_VALUE } from '@ternmq/api'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../cli/main.ts'
import type { ConsoleIo } from '../process/console-io.ts'

const EVENT = {
  id: 7,
  atMs: 0,
  kind: 'refused',
  source: 'mqtt',
  peer: '',
  clientId: 'a',
  user: '',
  text: 'x',
  clause: '',
}

test('with --follow a broker that goes and comes back is told on standard error, and JSON stays clean', async () => {
  const streams: ReadonlyArray<(response: ServerResponse) => void> = [
    (response) => response.write('event: heartbeat\ndata: {}\n\n', () => response.destroy()),
    (response) => response.write(`event: event\ndata: ${JSON.stringify(EVENT)}\n\n`, () => response.destroy()),
    (response) => response.end('{"code":"NOT_ALLOWED","status":403,"title":"no","detail":"not any more"}'),
  ]
  let count = 0
  const server = createServer(({ url = '' }, response) => {
    const stream = url.startsWith('/api/v1/stream') ? streams[count++] : undefined
    response.writeHead(count === streams.length ? 403 : 200, { [API_HEADER]: API_HEADER_VALUE })
    if (stream === undefined) response.end('{"items":[]}')
    else stream(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  let [stdout, stderr] = ['', '']
  const io = {
    stdout: { write: (text: string) => void (stdout += text), written: () => Promise.resolve() },
    stderr: { write: (text: string) => void (stderr += text) },
    env: {},
    started: { command: 'ternmq', options: '', sets: '' },
  } as unknown as ConsoleIo
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await runCommand(['events', '--follow', '--json', '--url', url, '--token', 'tmq_x'], io)).toBe(1)
  expect(stdout).toBe(`${JSON.stringify(EVENT)}\n`)
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^ternmq: the broker (?:is|has been) away.*; connecting again .*; Ctrl-C ends this$/),
    expect.stringMatching(/^ternmq: the broker answers again, after \d/),
    expect.stringMatching(/^ternmq: the broker (?:is|has been) away/),
    'ternmq: not any more',
    '',
  ])
})
