/** Serves the page, stompjs as it is bundled for browsers, and where the broker is. Nothing else leaves this folder. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { PORT = '8000', BROKER_URL = 'ws://localhost:8083' } = process.env

const here = (name) => new URL(name, import.meta.url)
// For programs in CommonJS the package has the bundle that a <script> can load too.
const stompjs = createRequire(import.meta.url).resolve('@stomp/stompjs')

const files = {
  '/': ['text/html; charset=utf-8', here('index.html')],
  '/chat.js': ['text/javascript; charset=utf-8', here('chat.js')],
  '/stomp.js': ['text/javascript; charset=utf-8', stompjs],
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (pathname === '/broker.json') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ url: BROKER_URL }))
    return
  }
  const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined
  if (file === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': file[0] }).end(await readFile(file[1]))
})

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`the chat is at http://127.0.0.1:${server.address().port}/, its broker at ${BROKER_URL}`)
})
