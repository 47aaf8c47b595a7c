/** Stores readings. Takes them over AMQP 1.0 from a subscription that waits for it, and rejects what is no temperature. */
import rhea from 'rhea'

const { AMQP_PORT = '5672', HOTTEST = '100' } = process.env

const container = rhea.create_container({ id: 'worker' })
const connection = container.connect({ host: 'localhost', port: Number(AMQP_PORT) })
const readings = connection.open_receiver({
  name: 'readings',
  // durable and never: it is kept while the worker is away, and messages wait in it.
  source: { address: 'topic://plant.*.temperature', durable: 2, expiry_policy: 'never' },
  autoaccept: false,
  credit_window: 1,
})

readings.on('receiver_open', () => {
  // A broker that refuses says so right after it: then there is no source.
  if (readings.source?.address) console.log(`storing readings up to ${HOTTEST} °C; end it with Ctrl-C`)
})
readings.on('message', ({ message, delivery }) => {
  // Bytes come as a section with content: most MQTT tools do not say that what they send is text.
  const reading = String(message.body?.content ?? message.body)
  const celsius = Number.parseFloat(reading)
  if (celsius <= Number(HOTTEST)) {
    console.log(`stored ${celsius} °C`)
    delivery.accept()
  } else {
    console.log(`rejected ${reading}`)
    delivery.reject({ condition: 'tour:too-hot', description: `${reading} °C is above ${HOTTEST} °C` })
  }
})
connection.on('receiver_error', ({ receiver }) => {
  console.error(receiver.error.description)
  connection.close()
})
for (const what of ['connection_error', 'disconnected'])
  connection.on(what, ({ error }) => console.error(error?.description ?? error?.message ?? what))
