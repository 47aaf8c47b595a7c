/** Addresses inside messages, a reply-to above all: the core keeps them in its own form, each protocol writes them in its way. */
import { fromCoreName, toCoreName } from '../address.ts'
import type { Profile, Protocol } from '../protocols.ts'
import { resolve } from '../resolve.ts'
import { spell } from '../spell.ts'

/** How an adapter reads and writes an address in a field. */
export interface AddressSpelling {
  /** The address in core form: `a/b`, `$queue/NAME`. A text instead of one: why it is none. */
  read(text: string): { readonly address: string } | { readonly rule: string }
  /** Undefined when the protocol has no way to write it. */
  write(address: string): string | undefined
}

/**
 * The usual spelling of the protocol. It knows nothing of a connection: an adapter whose clients have names of their own for temporary
 * destinations reads those first.
 */
export function addressSpelling(protocol: Protocol, profile: Profile = 'activemq'): AddressSpelling {
  return {
    read(text) {
      const read = resolve(text, { protocol, profile, purpose: 'send' })
      if (!read.ok) return { rule: read.detail.text }
      const address = toCoreName(read.address)
      return address === undefined
        ? { rule: 'it must be one queue or one topic, by a name that others know it by' }
        : { address }
    },
    write: (address) => spell(fromCoreName(address), protocol, profile),
  }
}
