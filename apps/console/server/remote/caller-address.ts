/** Where a call comes from: the socket's other side, or what a proxy there says of it, when its word counts. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

export class CallerAddresses {
  readonly #trusted = new BlockList()

  /** IP addresses, and networks such as 10.0.0.0/8. */
  constructor(trustedProxies: readonly string[]) {
    for (const proxy of trustedProxies) {
      const [address = '', bits] = proxy.split('/')
      if (bits === undefined) this.#trusted.addAddress(address, familyOf(address))
      else this.#trusted.addSubnet(address, Number(bits), familyOf(address))
    }
  }

  /** The nearest that is no trusted proxy; '' of a socket that is gone. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const hops = [headers['x-forwarded-for']].join().split(',')
    let address = socket.remoteAddress ?? ''
    for (const hop of hops.map((each) => each.trim()).toReversed()) {
      if (!this.#isTrusted(address) || isIP(hop) === 0) break
      address = hop
    }
    return address
  }

  #isTrusted(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    return isIP(plain) !== 0 && this.#trusted.check(plain, familyOf(plain))
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
