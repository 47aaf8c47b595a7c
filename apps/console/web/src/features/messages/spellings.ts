/** An address in core form, `a/b` or `$queue/orders`, as clients of each protocol write it. */

const QUEUE = '$queue/'

/** Name of the queue; undefined for a topic. */
export function queueNameOf(address: string): string | undefined {
  return address.startsWith(QUEUE) ? address.slice(QUEUE.length) : undefined
}

/** Levels of topics are divided by dots outside MQTT; a dot inside a level becomes a slash. */
function swapSeparators(topic: string): string {
  return topic.replaceAll(/[./]/g, (char) => (char === '.' ? '/' : '.'))
}

export function stompSpelling(address: string): string {
  const queue = queueNameOf(address)
  return queue === undefined ? `/topic/${swapSeparators(address)}` : `/queue/${queue}`
}

/** Of AMQP 1.0, and of the HTTP API. */
export function uriSpelling(address: string): string {
  const queue = queueNameOf(address)
  return queue === undefined ? `topic://${swapSeparators(address)}` : `queue://${queue}`
}
