import { expect, test } from 'vitest'

import { bindError, closeReason } from './errors.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`listen ${code}`), { code })
}

test('a busy port names the listener, the address and what to set', () => {
  const error = bindError('mqtt', '127.0.0.1', 1883, systemError('EADDRINUSE'))
  expect(error.code).toBe('LISTENER_PORT_IN_USE')
  expect(error.message).toBe(
    'listener mqtt cannot bind 127.0.0.1:1883: the port is in use; stop the other program or set listeners.mqtt.port',
  )
})

test.each([
  ['EADDRNOTAVAIL', 'LISTENER_ADDRESS_UNKNOWN', 'set listeners.ws.host'],
  ['EACCES', 'LISTENER_NOT_PERMITTED', 'set listeners.ws.port above 1023'],
  ['EMFILE', 'LISTENER_CANNOT_BIND', 'listen EMFILE'],
])('%s is refused as %s with its remedy', (code, ours, text) => {
  const error = bindError('ws', '::1', 80, systemError(code))
  expect(error.code).toBe(ours)
  expect(error.message).toContain('listener ws cannot bind [::1]:80')
  expect(error.message).toContain(text)
})

test('a close reason is a sentence with the code in brackets', () => {
  expect(closeReason(systemError('ECONNRESET'))).toBe('connection reset by peer (ECONNRESET)')
  expect(closeReason(systemError('EWHATEVER'))).toBe('listen EWHATEVER')
  expect(closeReason('odd')).toBe('odd')
})
