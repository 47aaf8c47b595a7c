/**
 * Runs in the browser: connects with MQTT.js to the URL in the query, sends itself messages of every QoS and a large one, and
 * posts what happened to the server it came from.
 */
const { mqtt, location } = globalThis
const query = new URLSearchParams(location.search)
const version = Number(query.get('version'))
const TOPIC = `pages/${Math.random().toString(16).slice(2)}`
const LARGE_BYTES = 200_000

const result = { connected: false, subprotocol: '', granted: [], messages: [], largeArrived: false }
const large = Uint8Array.from({ length: LARGE_BYTES }, (_, index) => index % 251)

const client = mqtt.connect(query.get('url'), {
  protocolVersion: version,
  protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
  reconnectPeriod: 0,
  createWebsocket: (url, protocols) => {
    const socket = new WebSocket(url, protocols)
    socket.addEventListener('open', () => (result.subprotocol = socket.protocol))
    return socket
  },
})

client.on('close', report) // refused, or done
client.on('message', (topic, body, { qos, properties }) => {
  if (topic === `${TOPIC}/large`) {
    result.largeArrived = body.length === LARGE_BYTES && body.every((byte, index) => byte === large[index])
  } else {
    result.messages.push({ qos, text: body.toString(), unit: properties?.userProperties?.unit })
  }
  if (result.messages.length === 3 && result.largeArrived) client.end()
})
client.on('connect', async () => {
  result.connected = true
  result.granted = (await client.subscribeAsync(`${TOPIC}/#`, { qos: 2 })).map(({ qos }) => qos)
  const properties = version === 5 ? { userProperties: { unit: '°C' } } : undefined
  for (const qos of [0, 1, 2]) await client.publishAsync(`${TOPIC}/${qos}`, `grüße ${qos}`, { qos, properties })
  await client.publishAsync(`${TOPIC}/large`, large, { qos: 1 })
})

function report() {
  void fetch(`/result${location.search}`, { method: 'POST', body: JSON.stringify(result) })
}
