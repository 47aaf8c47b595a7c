import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { httpTransport } from './client-http.ts'
import { ApiClient, NotTheApi } from './client.ts'
import { API_HEADER, getMe } from './index.ts'

async function clientOf(answer: RequestListener): Promise<ApiClient> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = httpTransport({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  onTestFinished(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  return new ApiClient({ transport: transport.send, token: 'tmq_x' })
}

test('the API is known by its header, in good answers and in refusals', async () => {
  const client = await clientOf(
    (_, response) => void response.writeHead(200, { [API_HEADER]: '1' }).end('{"user":"ann"}'),
  )
  expect(await client.call(getMe)).toEqual({ user: 'ann' })
  const refused = await clientOf(
    (_, response) => void response.writeHead(401, { [API_HEADER]: '1' }).end('{"code":"NOT_LOGGED_IN","detail":"no"}'),
  )
  await expect(refused.call(getMe)).rejects.toMatchObject({ problem: { code: 'NOT_LOGGED_IN', detail: 'no' } })
})

test.each<[string, number, Readonly<Record<string, string>>, string, RegExp]>([
  [
    'a page',
    200,
    { 'content-type': 'text/html', server: 'nginx' },
    '<html>',
    /^an answer from 'nginx' with status 200 and text\/html, /,
  ],
  [
    'JSON of others',
    200,
    { 'content-type': 'application/json' },
    '{"items":5}',
    /with status 200 and application\/json, without/,
  ],
  [
    'a refusal of others',
    502,
    {},
    '{"detail":"no"}',
    /^an answer with status 502 and no content type, without the header ternmq-api$/,
  ],
  [
    'a redirect',
    302,
    { location: 'https://other/' },
    '',
    / with status 302 and no content type, that leads to 'https:\/\/other\/', /,
  ],
  ['a long name', 200, { server: 'x'.repeat(500) }, '', /^an answer from 'x{80}' with/],
])('%s is not taken for the API, and what came is told', async (_, status, headers, body, text) => {
  const client = await clientOf((_request, response) => void response.writeHead(status, headers).end(body))
  const stranger = await client.call(getMe).catch((error: unknown) => error)
  expect(stranger).toBeInstanceOf(NotTheApi)
  expect((stranger as NotTheApi).message).toMatch(text)
})

test('an answer of another server that has no end is not waited for, and its connection goes', async () => {
  let onClosed = (): void => {}
  const closed = new Promise<void>((resolve) => (onClosed = resolve))
  const client = await clientOf((_, response) => {
    response.once('close', onClosed)
    response.writeHead(200).write('x')
  })
  await expect(client.call(getMe)).rejects.toThrow(NotTheApi)
  await closed
})
