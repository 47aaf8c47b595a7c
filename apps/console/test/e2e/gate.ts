/** A network between browser and broker that can be cut, or fall silent: nothing gets through until it is mended. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Gate {
  /** Of the console, through it. */
  readonly url: string
  /** What is open breaks, and what is opened, too. */
  cut(): void
  /** Nothing breaks, and nothing comes until it is mended: as when the broker hangs. */
  hush(): void
  mend(): void
}

/** Gone after the test. */
export async function openGate(port: number): Promise<Gate> {
  const pairs = new Set<readonly [near: Socket, far: Socket]>()
  let isCut = false
  let isSilent = false
  const join = ([near, far]: readonly [Socket, Socket]): void => {
    near.pipe(far)
    far.pipe(near)
  }
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const pair = [near, connect(port, '127.0.0.1')] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {}) // a connection that breaks closes, and that is looked at
      socket.on('close', () => {
        pairs.delete(pair)
        for (const each of pair) each.destroy()
      })
    }
    if (!isSilent) join(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    isCut = true
    for (const [near] of pairs) near.destroy()
  }
  const hush = (): void => {
    isSilent = true
    for (const socket of [...pairs].flat()) socket.unpipe()
  }
  const mend = (): void => {
    if (isSilent) for (const pair of pairs) join(pair)
    isCut = false
    isSilent = false
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, hush, mend }
}
