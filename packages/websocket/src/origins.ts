/**
 * Which web pages may connect. A browser sends the page's origin with every upgrade; most other clients send none and are not
 * concerned (paho for Python names the broker's own address: name that in the setting where such clients come from other machines). Without a rule any page that a developer visits could talk to the broker on the developer's own machine.
 */

/** An origin as browsers write it ('https://app.example', 'null'), 'loopback' for every page of this machine, or '*' for all. */
export type AllowedOrigin = string

/** `origin` is the header's value; undefined when the client sent none. */
export function isOriginAllowed(origin: string | undefined, allowed: readonly AllowedOrigin[]): boolean {
  if (origin === undefined) return true
  const asked = origin.toLowerCase()
  return allowed.some(
    (rule) => rule === '*' || rule.toLowerCase() === asked || (rule === 'loopback' && isLoopback(asked)),
  )
}

function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
