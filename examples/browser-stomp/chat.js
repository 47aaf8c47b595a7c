/**
 * The page: reads a topic and writes to it, over STOMP on a WebSocket. Whoever speaks MQTT is in the same room: STOMP's
 * /topic/chat.lobby is MQTT's chat/lobby.
 */
const ROOM = '/topic/chat.lobby'
const DEVICES = '/topic/chat.devices.*' // each device keeps its status in one below; * stands for one level

const byId = (id) => document.getElementById(id)
const [state, devices, messages, form, name, text] = ['state', 'devices', 'messages', 'form', 'name', 'text'].map(byId)

// A name of one's own for a start; ?name=ada is another way.
name.value = new URLSearchParams(location.search).get('name') ?? `guest ${Math.ceil(Math.random() * 99)}`

function show(label) {
  state.textContent = label
  state.dataset.state = label
}

// textContent, never innerHTML: what others write is text, not part of this page.
function line(from, body) {
  const item = document.createElement('li')
  const who = document.createElement('span')
  who.className = 'from'
  who.textContent = from
  item.append(who, body)
  return item
}

const client = new StompJs.Client({
  reconnectDelay: 1000, // ms; comes back by itself
  heartbeatIncoming: 10_000,
  heartbeatOutgoing: 10_000,
})

client.onConnect = () => {
  show('connected')
  client.subscribe(ROOM, ({ headers, body }) => {
    messages.append(line(headers.from ?? 'somebody', body))
    messages.lastChild.scrollIntoView()
  })
  // retroactive: what is retained comes at once, so a device that was here before us is known.
  client.subscribe(
    DEVICES,
    ({ headers, body }) => {
      const device = headers.destination.split('.').at(-1)
      devices.querySelector(`[data-device="${CSS.escape(device)}"]`)?.remove()
      const item = line(device, body)
      item.dataset.device = device
      devices.append(item)
    },
    { 'activemq.retroactive': 'true' },
  )
}
client.onWebSocketClose = () => show('connecting…')
client.onStompError = ({ headers }) => show(headers.message) // the broker says what to do

form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (!client.connected) return
  client.publish({
    destination: ROOM,
    headers: { from: name.value },
    body: text.value,
    skipContentLengthHeader: true, // without a length the body is text, for MQTT too
  })
  text.value = ''
})

// The server of this page knows where the broker is.
fetch('/broker.json')
  .then((response) => response.json())
  .then(({ url }) => {
    client.configure({ brokerURL: url })
    client.activate()
  })
