/** CONNECT, STOMP and CONNECTED: versions, logins, client ids, and what may not come first. */
import type { Login, LoginStep } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { connectFrame, disconnect, frame, raw, send, subscribe, World } from '../../harness.ts'

const ACCEPTED: LoginStep = { kind: 'accepted', principal: { name: 'ann', anonymous: false }, data: undefined }

describe('CONNECTED', () => {
  it.each([
    ['STOMP12-CONNECTED_Frame-a', '1.2'],
    ['STOMP11-CONNECTED_Frame-a', '1.1'],
  ])('[%s] says the version of the session: %s', (_id, version) => {
    const client = new World().open()
    client.send(frame('CONNECT', { 'accept-version': version, host: 'h' }))
    expect(client.next('CONNECTED').headers).toMatchObject({ version })
  })

  it('[STOMP12-Connecting-a, STOMP11-Connecting-a] answers CONNECT, once', () => {
    const client = new World().open()
    client.send(connectFrame(12))
    expect(client.received()).toMatchObject([{ command: 'CONNECTED', body: '' }])
  })

  it('[STOMP10-Connecting-a, STOMP10-Connecting-b] answers a 1.0 CONNECT with login and passcode, with a session of its own', () => {
    const world = new World()
    const sessions = [world.open({ version: 10 }), world.open({ version: 10 })].map((client) => {
      client.send(frame('CONNECT', { login: 'ann', passcode: 'pw' }))
      return client.accepted().headers['session']
    })
    expect(sessions[0]).toMatch(/^stomp-[0-9a-f]{24}$/)
    expect(new Set(sessions).size).toBe(2)
  })

  it('[STOMP12-CONNECTED_Frame-b, STOMP11-CONNECTED_Frame-b] names the server as name/version', () => {
    const { connected } = new World({ settings: { serverName: 'TernMQ/0.1.0' } }).connect()
    expect(connected.headers['server']).toMatch(/^[^/ ]+\/[^/ ]+( .+)?$/)
  })

  it('[STOMP12-CONNECT_or_STOMP_Frame-a, STOMP11-CONNECT_or_STOMP_Frame-a] answers STOMP as it answers CONNECT', () => {
    const client = new World().open()
    client.send(frame('STOMP', { 'accept-version': '1.1,1.2', host: 'h' }), subscribe(1, '/queue/q', { receipt: 'r' }))
    expect(client.received()).toMatchObject([
      { command: 'CONNECTED', headers: { version: '1.2' } },
      { headers: { 'receipt-id': 'r' } },
    ])
  })

  it('says to a 1.0 client nothing of heart-beats', () => {
    expect(new World().connect({ version: 10 }).connected.headers).not.toHaveProperty('heart-beat')
  })

  it('tells the client id as the session, and whatever host was asked for', () => {
    const client = new World().open()
    client.send(frame('CONNECT', { 'accept-version': '1.2', host: 'some.where.else', 'client-id': 'me' }))
    expect(client.accepted().headers).toMatchObject({ session: 'me' })
  })

  it('[STOMP12-Value_Encoding-b, STOMP11-Value_Encoding-b] takes a backslash in a passcode for a backslash', () => {
    let heard = ''
    const login: Login = {
      begin({ password }) {
        heard = Buffer.from(password!).toString()
        return ACCEPTED
      },
    }
    new World({ login }).connect({ headers: { login: 'ann', passcode: String.raw`a\nb\x\\` } })
    expect(heard).toBe(String.raw`a\nb\x\\`)
  })
})

describe('the version', () => {
  it.each([
    ['1.0', '1.0'],
    ['1.0,1.1', '1.1'],
    ['1.2,1.1,1.0', '1.2'],
    ['1.0,1.2,9.9', '1.2'],
    ['1.3, 1.1', '1.1'],
  ])(
    '[STOMP12-Protocol_Negotiation-b, STOMP11-Protocol_Negotiation-b] for accept-version %s is %s',
    (accepted, spoken) => {
      const client = new World().open()
      client.send(frame('CONNECT', { 'accept-version': accepted, host: 'h' }))
      expect(client.accepted().headers['version']).toBe(spoken)
    },
  )

  it('[STOMP12-Protocol_Negotiation-a, STOMP11-Protocol_Negotiation-a] is 1.0 without accept-version: SUBSCRIBE needs no id', () => {
    const client = new World().open()
    client.send(frame('CONNECT'), frame('SUBSCRIBE', { destination: '/queue/q' }), send('/queue/q', 'x'))
    expect(client.accepted().headers['version']).toBe('1.0')
    expect(client.bodies()).toEqual(['x'])
  })

  it.each(['1.3', '0.9,2.0', '', 'latest'])(
    '[STOMP12-Protocol_Negotiation-c, STOMP12-Protocol_Negotiation-d, STOMP11-Protocol_Negotiation-c] ends the connection with those spoken when none of %j is',
    (accepted) => {
      const client = new World().open()
      client.send(frame('CONNECT', { 'accept-version': accepted, host: 'h', receipt: 'r' }))
      const { headers } = client.errorFrame()
      expect(headers).toMatchObject({ version: '1.2,1.1,1.0', 'receipt-id': 'r' })
      expect(headers['message']).toContain('1.2,1.1,1.0')
      expect(headers['message']).toContain(`accept-version is "${accepted}"`)
    },
  )
})

describe('a refused CONNECT', () => {
  const refusing: Login = {
    begin: () => ({ kind: 'refused', refusal: 'bad-credentials', text: 'user name or password is wrong' }),
  }

  it('[STOMP12-Connecting-b, STOMP11-Connecting-b] gets ERROR with the reason, and the connection is closed', () => {
    const world = new World({ login: refusing })
    const client = world.open()
    client.send(connectFrame(12, { login: 'ann', passcode: 'no' }))
    expect(client.error()).toBe('CONNECT refused, user name or password is wrong')
    expect(world.events).toMatchObject([{ kind: 'refused', user: 'ann', clause: 'STOMP12-Connecting-b' }])
  })

  it('[STOMP12-ERROR-c, STOMP11-ERROR-b] names the receipt of the CONNECT', async () => {
    const client = new World({ login: { begin: async () => refusing.begin({} as never) } }).open()
    await client.finish(connectFrame(12, { receipt: 'login' }))
    expect(client.errorFrame().headers['receipt-id']).toBe('login')
  })

  it('does what was sent behind it not', async () => {
    const world = new World({ login: { begin: async () => refusing.begin({} as never) } })
    const client = world.open()
    await client.finish(connectFrame(12), send('/queue/q', 'x'))
    expect(client.error()).toMatch(/password is wrong/)
    expect(world.vhost.destinations.find('q')).toBeUndefined()
  })

  it.each([
    ['10', /heart-beat is "10" and not two numbers/],
    ['1,2,3', /heart-beat/],
    ['-1,5', /heart-beat/],
    ['1.5,5', /heart-beat/],
  ])('[STOMP12-Heart-beating-a, STOMP11-Heart-beating-a] says that heart-beat %s is none', (heartBeat, text) => {
    const client = new World().open()
    client.send(connectFrame(12, { 'heart-beat': heartBeat }))
    expect(client.error()).toMatch(text)
  })
})

describe('a client id', () => {
  it('in use is refused after a second in which it could become free, and whoever has it stays', async () => {
    const world = new World()
    const first = world.connect({ headers: { 'client-id': 'me' } })
    const second = world.open()
    second.send(connectFrame(12, { 'client-id': 'me' }))
    for (let passed = 0; passed < 1_000; passed += 100) {
      expect(second.isClosed).toBe(false)
      world.advance(100)
      await world.settle()
    }
    expect(second.error()).toMatch(/^CONNECT refused, client id 'me' is in use, by another connection; choose another one/)
    first.send(subscribe(1, '/queue/q', { receipt: 'r' }))
    expect(first.receipts()).toEqual(['r'])
  })

  it('of a client that comes back before its loss is known is its own when that is known', async () => {
    const world = new World()
    const first = world.connect({ headers: { 'client-id': 'me' } })
    const second = world.open()
    second.send(connectFrame(12, { 'client-id': 'me' }))
    first.vanish()
    world.advance(100)
    await world.settle()
    expect(second.received().map(({ command }) => command)).toEqual(['CONNECTED'])
  })

  it('is free again when its connection is gone', () => {
    const world = new World()
    world.connect({ headers: { 'client-id': 'me' } }).vanish()
    expect(world.connect({ headers: { 'client-id': 'me' } }).connected.headers['session']).toBe('me')
  })

  it.each([
    ['', /client-id has 0 bytes; it has 1 to stomp.maxClientIdBytes 1024/],
    ['x'.repeat(1_025), /client-id has 1025 bytes/],
  ])('of a length that cannot be is refused', (clientId, text) => {
    const client = new World().open()
    client.send(connectFrame(12, { 'client-id': clientId }))
    expect(client.error()).toMatch(text)
  })
})

describe('a login that takes its time', () => {
  it('lets what was sent behind it wait, in its order', async () => {
    const world = new World({ login: { begin: async () => ACCEPTED } })
    const client = world.open()
    await client.finish(
      connectFrame(12),
      subscribe(1, '/queue/q'),
      send('/queue/q', '1'),
      send('/queue/q', '2', { receipt: 'r' }),
    )
    client.accepted()
    expect(client.received().map(({ body, headers }) => headers['receipt-id'] ?? body)).toEqual(['1', '2', 'r'])
  })

  it('that never ends is given up: the client hears why', () => {
    const world = new World({ login: { begin: () => new Promise(() => {}) } })
    const client = world.open()
    client.send(connectFrame(12))
    world.advance(10_500)
    expect(client.error()).toBe('CONNECT refused, the login took longer than 10 s; try again later')
  })

  it('is nobody’s when its connection went meanwhile', async () => {
    let answer: (step: LoginStep) => void = () => {}
    const login: Login = { begin: () => new Promise((resolve) => (answer = resolve)) }
    const world = new World({ login })
    const client = world.open()
    client.send(connectFrame(12, { 'client-id': 'me' }))
    client.vanish()
    answer(ACCEPTED)
    await world.settle()
    expect([world.vhost.sessions.count, world.adapter.connectionCount]).toEqual([0, 0])
  })

  it('that fails by our own fault ends the connection without details, and operators get them', async () => {
    const world = new World({ login: { begin: async () => Promise.reject(new Error('the file is gone')) } })
    const client = world.open()
    await client.finish(connectFrame(12))
    expect(client.error()).toBe('internal error')
    expect(world.events[0]).toMatchObject({ kind: 'failure', text: expect.stringContaining('the file is gone') as unknown })
  })
})

describe('before and after CONNECT', () => {
  it.each(['SEND', 'SUBSCRIBE', 'ACK', 'BEGIN', 'DISCONNECT'])('%s as the first frame is refused', (command) => {
    const client = new World().open()
    client.send(frame(command, { destination: '/queue/q', id: 1, transaction: 't', receipt: 'r' }))
    const { headers } = client.errorFrame()
    expect(headers).toMatchObject({
      'receipt-id': 'r',
      message: expect.stringContaining(`the first frame is ${command}`) as unknown,
    })
  })

  it.each(['CONNECT', 'STOMP'])('a second login with %s is refused', (command) => {
    const client = new World().connect()
    client.send(frame(command, { 'accept-version': '1.2', host: 'h' }))
    expect(client.error()).toBe(`${command} refused, the connection has had its login; there is one`)
  })

  it.each(['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'])(
    '[STOMP12-Client_Frames-a, STOMP11-Once_Connected-a] %s, a frame of servers, is refused',
    (command) => {
      const client = new World().connect()
      client.send(frame(command, { receipt: 'r' }))
      expect(client.errorFrame().headers).toMatchObject({
        'receipt-id': 'r',
        message: expect.stringContaining('only servers send such a frame') as unknown,
      })
    },
  )

  it('[STOMP12-Client_Frames-a, STOMP11-Once_Connected-a, STOMP10-Augmented_BNF-c] an unknown command is refused by its name', () => {
    for (const version of [10, 11, 12] as const) {
      const client = new World().connect({ version })
      client.send(raw('SUBSCRIB\nid:1\n\n^@'))
      expect(client.error()).toMatch(/"SUBSCRIB" is no STOMP command/)
    }
  })

  it('[STOMP10-Augmented_BNF-c] NACK is no command of 1.0', () => {
    const client = new World().connect({ version: 10 })
    client.send(frame('NACK', { 'message-id': 'x', receipt: 'r' }))
    expect(client.errorFrame().headers).toMatchObject({
      'receipt-id': 'r',
      message: expect.stringContaining('NACK is a command of STOMP 1.1 and later') as unknown,
    })
  })

  it('[STOMP12-STOMP_Frames-d, STOMP11-STOMP_Frames-d] line ends before and behind frames are nothing', () => {
    const client = new World().open()
    client.send(raw('\n\n'), connectFrame(12), raw('\n\r\n\n'), subscribe(1, '/queue/q', { receipt: 'r' }), raw('\n'))
    client.accepted()
    expect(client.receipts()).toEqual(['r'])
  })

  it('[STOMP12-Connection_Lingering-a, STOMP11-Connecting-c] many clients come and go in quick succession', () => {
    const world = new World()
    for (let count = 0; count < 500; count++) {
      const client = world.open()
      client.send(connectFrame(12, { 'client-id': 'same' }), send('/queue/q', String(count)), disconnect('bye'))
      client.accepted()
      expect([client.receipts(), client.isClosed]).toEqual([['bye'], true])
    }
    expect([world.queue('q').waitingCount, world.adapter.connectionCount, world.vhost.sessions.count]).toEqual([
      500, 0, 0,
    ])
  })
})

describe('a first frame', () => {
  it('that announces a large body is refused before that has come', () => {
    const client = new World().open()
    client.send(raw('SEND\ndestination:/queue/q\ncontent-length:70000\n\nx'))
    expect(client.error()).toMatch(/^SEND: body of 70000 bytes exceeds/)
  })

  it('may be followed by a large one at once', () => {
    const world = new World()
    const client = world.open()
    client.send(connectFrame(12), send('/queue/q', 'x'.repeat(200_000), { receipt: 'r' }))
    client.accepted()
    expect(client.receipts()).toEqual(['r'])
  })
})

describe('a time limit', () => {
  it('ends a connection that says nothing', () => {
    const world = new World()
    const client = world.open()
    world.advance(9_900)
    expect(client.isClosed).toBe(false)
    world.advance(600)
    expect(client.error()).toBe('no complete CONNECT within 10 s')
  })

  it('ends one that dribbles its CONNECT', () => {
    const world = new World()
    const client = world.open()
    for (const byte of connectFrame(12).subarray(0, 20)) {
      client.send(Uint8Array.of(byte))
      world.advance(500)
      if (client.isClosed) break
    }
    world.advance(500)
    expect(client.error()).toBe('no complete CONNECT within 10 s')
  })
})
