/** Serves the page, stompjs as it is bundled for browsers, and where the broker is. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { PORT = '8000', BROKER_URL = 'ws://localhost:8083' } = process.env

const files = {
  '/': ['text/html; charset=utf-8', new URL('page.html', import.meta.url)],
  '/stomp.js': ['text/javascript; charset=utf-8', createRequire(import.meta.url).resolve('@stomp/stompjs')],
}

const server = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost')
  const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined
  if (pathname === '/broker.json')
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ url: BROKER_URL }))
  else if (file === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': file[0] }).end(await readFile(file[1]))
})

server.on('error', ({ code, message }) => {
  console.error(code === 'EADDRINUSE' ? `port ${PORT} is in use; PORT=8001 in front takes another` : message)
  process.exitCode = 1
})
server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`readings are at http://127.0.0.1:${server.address().port}/`),
)
