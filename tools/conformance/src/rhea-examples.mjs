/** Examples of amqp/rhea that its own tests leave out, and what each has to say. */
import assert from 'node:assert/strict'

/** `run` is that of run-rhea.mjs: a program by its name and arguments, to its end; what it said. */
export function examplesOf({ ports, user: [name, password], run }) {
  const at = ['-p', ports.amqp]
  const count = (length, line) => Array.from({ length }, (_, index) => line(index + 1))

  return [
    {
      name: 'drain',
      async body() {
        await run('simple_send.js', [...at, '-n', 'drain', '-m', 25])
        const lines = await run('drain.js', [...at, '-n', 'drain'])
        assert.deepEqual(
          lines,
          count(25, (number) => `{"sequence":${number}}`),
        )
      },
    },
    {
      name: 'send raw bytes and receive them',
      async body() {
        const sent = await run('send_raw.js', [...at, '-n', 'raw', '-m', 5])
        assert.deepEqual(sent, [...count(5, (number) => `sent ${number}`), 'all messages confirmed'])
        const received = await run('simple_recv.js', [...at, '-n', 'raw', '-m', 5])
        const texts = received.map((line) => Buffer.from(JSON.parse(line).content.data).toString())
        assert.deepEqual(
          texts,
          count(5, (number) => `{"sequence":${number}}`),
        )
      },
    },
    {
      name: 'a durable subscription collects while it is detached',
      async body() {
        const who = ['--client', 'desk', '--subscription', 'news', '-t', 'topic://PRICE.STOCK.NYSE.IBM']
        const to = ['-t', 'topic://PRICE.STOCK.NYSE.IBM']
        const publish = (...messages) => run('durable_subscription/publisher.js', [...at, ...to, ...messages])
        let published = Promise.resolve([])
        const onLine = (line) => {
          if (line === 'subscribed') published = publish('one', 'detach')
        }
        assert.deepEqual(await run('durable_subscription/subscriber.js', [...at, ...who], { onLine }), [
          'subscribed',
          'one',
        ])
        await published
        await publish('two', 'close')
        assert.deepEqual(await run('durable_subscription/subscriber.js', [...at, ...who]), ['subscribed', 'two'])
      },
    },
    {
      name: 'reconnect: requests to a queue that is its own echo',
      async body() {
        const lines = await run('reconnect/client.js', [...at, '-m', 10, '--request_interval', 1])
        const exchanges = count(10, (number) => [`sent request-${number}`, `received request-${number}`])
        assert.deepEqual(lines, [...exchanges.flat(), 'connection closed'])
      },
    },
    {
      name: 'SASL ANONYMOUS',
      async body() {
        assert.deepEqual(await run('sasl/simple_sasl_client.js', [...at, '--username', 'anonymous']), ['Connected!'])
      },
    },
    {
      name: 'SASL PLAIN',
      async body() {
        const lines = await run('sasl/simple_sasl_client.js', [...at, '--username', name, '--password', password])
        assert.deepEqual(lines, ['Connected!'])
      },
    },
    {
      name: 'SASL PLAIN with a wrong password',
      async body() {
        const args = [...at, '--username', name, '--password', 'wrong']
        assert.deepEqual(await run('sasl/simple_sasl_client.js', args, { code: 1 }), [])
      },
    },
    {
      name: 'websockets',
      async body() {
        const lines = await run('websockets/client.js', ['-u', `ws://localhost:${ports.ws}`, '-m', 20])
        assert.deepEqual(lines, count(20, (number) => [`sent request-${number}`, `received request-${number}`]).flat())
      },
    },
    {
      name: 'rabbitMQ: sender and receiver',
      async body() {
        const login = ['-P', ports.amqp, '-u', name, '-p', password, '-c', 5]
        const sent = await run('rabbitMQ/rabbitmq_sender.js', [...login, '-i', 1])
        assert.equal(sent.filter((line) => line.includes('confirmed, total confirmed')).length, 5)
        const received = await run('rabbitMQ/rabbitmq_receiver.js', login)
        assert.equal(received.filter((line) => line.startsWith('Body: ')).length, 5)
      },
    },
  ]
}
