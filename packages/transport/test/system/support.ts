/** Plain TCP listeners for the tests of this folder. */
import type { AcceptTransport } from '@ternmq/core'
import { type Accepted, type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import { onTestFinished } from 'vitest'

import { createTcpListener, type Listener, type ListenerContext, type TcpListenerOptions } from '../../src/index.ts'

export function startTcp(
  options: Partial<TcpListenerOptions> = {},
  setUp?: (accepted: Accepted) => void,
): Promise<Rig> {
  const create = (context: ListenerContext, accept: AcceptTransport): Listener =>
    createTcpListener({ ...TEST_OPTIONS, ...options }, context, accept)
  return startRig(create, onTestFinished, setUp)
}
