/** Counts connections per remote address, so that one host cannot take them all. */

export class AddressCounts {
  readonly #countByKey = new Map<string, number>()

  /** Counts one more; false, and not counted, when the address has `max`. */
  add(address: string, max: number): boolean {
    const key = addressKey(address)
    const count = this.#countByKey.get(key) ?? 0
    if (count >= max) return false
    this.#countByKey.set(key, count + 1)
    return true
  }

  remove(address: string): void {
    const key = addressKey(address)
    const count = this.#countByKey.get(key)
    if (count === undefined || count <= 1) this.#countByKey.delete(key)
    else this.#countByKey.set(key, count - 1)
  }
}

/**
 * What counts as one address: an IPv4 address, also when IPv6 maps it, or an IPv6 /64, which is what one subscriber line gets.
 * `address` as the system prints it.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice('::ffff:'.length)
  const plain = address.split('%', 1)[0] as string // a link-local address ends with its interface
  const [head = '', tail] = plain.split('::', 2)
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const tailGroups = tail === '' ? [] : tail.split(':')
    while (groups.length + tailGroups.length < 8) groups.push('0')
    groups.push(...tailGroups)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
