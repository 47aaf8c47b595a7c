import { API_HEADER, API_HEADER_VALUE } from '@ternmq/api'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../cli/main.ts'
import type { ConsoleIo } from '../process/console-io.ts'

const EVENT = {
  atMs: 0,
  kind: 'refused',
  source: 'mqtt',
  peer: '',
  clientId: 'a',
  user: '',
  text: 'x',
  clause: '',
}

type Streams = ReadonlyArray<(response: ServerResponse, lastEventId: string | undefined) => void>

/** Runs `events --follow` against a broker whose list ends with event 7, and whose streams are these; the last of them refuses. */
async function follow(streams: Streams): Promise<{ code: number; stdout: string; complaints: readonly string[] }> {
  let count = 0
  const server = createServer(({ url = '', headers }, response) => {
    const stream = url.startsWith('/api/v1/stream') ? streams[count++] : undefined
    const isRefusal = count > streams.length
    response.writeHead(isRefusal ? 403 : 200, { [API_HEADER]: API_HEADER_VALUE })
    if (stream !== undefined) stream(response, headers['last-event-id']?.toString())
    else if (isRefusal) response.end('{"code":"NOT_ALLOWED","status":403,"title":"no","detail":"not any more"}')
    else response.end('{"items":[],"lastId":7}')
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
  const code = await runCommand(['events', '--follow', '--json', '--url', url, '--token', 'tmq_x'], io)
  return { code, stdout, complaints: stderr.split('\n') }
}

const told = (id: number): string => `event: event\nid: ${id}\ndata: ${JSON.stringify({ ...EVENT, id })}\n\n`
const printed = (id: number): string => `${JSON.stringify({ ...EVENT, id })}\n`

test('with --follow a broker that goes and comes back is told on standard error, and JSON stays clean', async () => {
  const { code, stdout, complaints } = await follow([
    (response) => response.write('event: heartbeat\ndata: {}\n\n', () => response.destroy()),
    (response) => response.write(told(8), () => response.destroy()),
  ])
  expect(code).toBe(1)
  expect(stdout).toBe(printed(8))
  expect(complaints).toEqual([
    expect.stringMatching(/^ternmq: the broker (?:is|has been) away.*; connecting again .*; Ctrl-C ends this$/),
    expect.stringMatching(/^ternmq: the broker answers again, after \d/),
    expect.stringMatching(/^ternmq: the broker (?:is|has been) away/),
    'ternmq: not any more',
    '',
  ])
})

test('with --follow events go on where the list ended, and with the first of a broker that was started anew, which is told', async () => {
  const lastIds: unknown[] = []
  const { stdout, complaints } = await follow([
    (response, lastId) => (lastIds.push(lastId), response.destroy()),
    (response, lastId) => (lastIds.push(lastId), response.write(told(8), () => response.destroy())),
    (response, lastId) => {
      lastIds.push(lastId)
      // Its clock has been put back: its ids are smaller.
      response.write(`event: restarted\ndata: {}\n\n${told(2)}${told(3)}`, () => response.destroy())
    },
  ])
  expect(lastIds).toEqual(['7', '7', '8'])
  expect(stdout).toBe([8, 2, 3].map(printed).join(''))
  expect(complaints).toContainEqual(expect.stringMatching(/^ternmq: the broker has been started anew; /))
})
