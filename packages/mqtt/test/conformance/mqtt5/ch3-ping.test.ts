import { expect, it } from 'vitest'
import { frame, pingreq, World } from '../../harness.ts'

it('[MQTT5-3.12.4-1] answers PINGREQ with PINGRESP', () => {
  const client = new World().connect('c1')
  client.send(pingreq())
  expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
  client.send(pingreq(), pingreq())
  expect(client.received()).toMatchObject([{ type: 'PINGRESP' }, { type: 'PINGRESP' }])
})

it('[MQTT5-2.1.3-1] a PINGREQ with reserved flags set ends the connection', () => {
  const client = new World().connect('c1')
  client.send(frame(0xc1))
  expect(client.next('DISCONNECT').reasonCode).toBe(0x81)
  expect(client.isClosed).toBe(true)
})
