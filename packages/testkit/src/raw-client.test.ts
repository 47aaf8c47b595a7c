import type { Connection, Transport } from '@ternmq/core'
import { beforeEach, expect, test } from 'vitest'

import { PipeNetwork, type RawClient } from './raw-client.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A server that sends back what it hears, and ends the connection on an empty line. */
class Echo implements Connection {
  readonly transport: Transport
  closedWith: string | undefined = undefined

  constructor(transport: Transport) {
    this.transport = transport
  }

  onBytes(chunk: Uint8Array): void {
    if (chunk[0] === 0x0a) this.transport.end('said goodbye')
    else this.transport.write(chunk)
  }

  onWritable(): void {}

  onClosed(reason: string): void {
    this.closedWith = reason
  }
}

let clock: VirtualClock
let server: Echo
let client: RawClient

beforeEach(() => {
  clock = new VirtualClock()
  client = new PipeNetwork(clock).connect((transport) => (server = new Echo(transport)), { kernelBytes: 10 })
})

function send(text: string): string {
  client.sendBytes(Buffer.from(text))
  clock.settle()
  return Buffer.from(client.takeBytes()).toString()
}

test('bytes go there and back at turns of the clock', () => {
  client.sendBytes(Buffer.from('ab'))
  client.sendBytes(Buffer.from('c'))
  expect(client.takeBytes()).toHaveLength(0)
  expect(send('d')).toBe('abcd')
  expect(client.takeBytes()).toHaveLength(0)
})

test('it says when and why the server ended the connection', () => {
  expect(client.isClosed).toBe(false)
  send('\n')
  expect(client.closedBecause).toBe('closed by peer')
  expect(server.closedWith).toBe('said goodbye')
})

test('the server sees a FIN when it hangs up and a reset when it vanishes', () => {
  client.hangUp()
  clock.settle()
  expect(server.closedWith).toBe('closed by peer')
  const other = new PipeNetwork(clock).connect((transport) => (server = new Echo(transport)))
  other.vanish()
  clock.settle()
  expect(server.closedWith).toContain('ECONNRESET')
  expect(other.isClosed).toBe(true)
})

test('what it does not read stays with the server', () => {
  client.stopReading()
  expect(send('0123456789abcdef')).toBe('')
  expect(server.transport.pendingBytes).toBe(6)
  client.readAgain()
  clock.settle()
  expect(Buffer.from(client.takeBytes()).toString()).toBe('0123456789abcdef')
  expect(server.transport.pendingBytes).toBe(0)
})
