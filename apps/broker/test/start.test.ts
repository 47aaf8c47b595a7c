/** `ternmq start`: what it opens, and what it says when it cannot. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { client, CLI, launch, newFolder, occupyPort, openSocket, start, ternmq, until } from './support.ts'
import { Program } from './clients/program.ts'

const NODE24 = join(import.meta.dirname, '..', '..', '..', 'tools', 'run', 'node24.mjs')
const ALL = ['mqtt', 'mqtts', 'ws', 'wss']
/** For every listener that is open by default. */
const FREE_PORTS = [...ALL, 'stomp', 'stomps', 'amqp', 'amqps']
  .flatMap((name) => ['--set', `listeners.${name}.port=0`])
  .concat('--set', 'console.port=0')

describe('a start', () => {
  test('serves MQTT over TCP, TLS, WebSocket and WebSocket over TLS, with a certificate of its own', async () => {
    const broker = await start({ listeners: ALL })
    const ca = readFileSync(join(broker.dataDir, 'certificates', 'ca.pem'))
    const subscriber = await client(`mqtt://127.0.0.1:${broker.port('mqtt')}`)
    await subscriber.subscribeAsync('from/#', { qos: 1 })
    const received: string[] = []
    subscriber.on('message', (topic) => received.push(topic))
    for (const name of ALL) {
      const publisher = await client(`${name}://localhost:${broker.port(name)}/any/path`, { ca })
      await publisher.publishAsync(`from/${name}`, name, { qos: 1 })
    }
    await until('four messages', () => received.length === 4)
    expect(received).toEqual(ALL.map((name) => `from/${name}`))
  })

  test('tells its process and every listener, and says where the authority is that clients have to trust', async () => {
    const broker = await start({ listeners: ALL })
    expect(Object.keys(broker.ready.listeners)).toEqual(ALL)
    for (const { host, port } of Object.values(broker.ready.listeners)) {
      expect(host).toBe('127.0.0.1')
      expect(port).toBeGreaterThan(0)
    }
    expect(() => process.kill(broker.ready.pid, 0)).not.toThrow()
    await broker.program.untilLine('is ready') // its pipe may be slower than the ready file
    const log = broker.program.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(log).toContainEqual(expect.objectContaining({ caFile: join(broker.dataDir, 'certificates', 'ca.pem') }))
    expect(log).toContainEqual(expect.objectContaining({ listener: 'wss', port: broker.port('wss'), level: 'info' }))
    expect(log.at(-1)).toMatchObject({ version: '0.1.0', dataDir: broker.dataDir, msg: 'TernMQ 0.1.0 is ready' })
  })

  test('keeps what it makes from other users of the machine', async () => {
    const broker = await start({ listeners: ['mqtts'] })
    const modeOf = (...path: string[]): number => statSync(join(broker.dataDir, ...path)).mode & 0o777
    expect(modeOf('.')).toBe(0o700)
    expect(modeOf('admin.sock')).toBe(0o600)
    expect(modeOf('certificates', 'ca-key.pem')).toBe(0o600)
    expect(modeOf('certificates', 'server-key.pem')).toBe(0o600)
  })

  // How quick that is (under 3 s) is measured by tools/bench, not here: a busy machine must not fail a test.
  test('starts again by the command that npm start runs when everything is there', async () => {
    const first = await start({ listeners: ALL })
    await first.program.stop('SIGTERM')
    const readyFile = join(newFolder(), 'ready.json')
    const args = [NODE24, 'apps/broker/src/cli.ts', 'start', '--data-dir', first.dataDir, '--ready-json', readyFile]
    await using program = Program.start(process.execPath, [...args, ...FREE_PORTS])
    await until('the ready file', () => existsSync(readyFile))
    await program.stop('SIGTERM')
    expect(await program.ended()).toEqual({ code: 0, signal: null })
  })

  test('does not leave the ready file of an earlier run when it fails', async () => {
    const readyFile = join(newFolder(), 'ready.json')
    writeFileSync(readyFile, '{}')
    const program = launch({ settings: ['mqtt.maxQos=3'], args: ['--ready-json', readyFile] })
    expect((await program.ended()).code).toBe(1)
    expect(existsSync(readyFile)).toBe(false)
  })

  test('writes its log for people when asked', async () => {
    const broker = await start({ settings: ['log.format=pretty'] })
    const line = await broker.program.untilLine('is ready')
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO  TernMQ 0\.1\.0 is ready  version=0\.1\.0/)
  })

  test('that is the first tells the password that it made last, below its log; the second tells none', async () => {
    const dataDir = join(newFolder(), 'data')
    const args = [CLI, 'start', '--data-dir', dataDir, '--set', 'log.level=info', ...FREE_PORTS]
    const startOnOnePipe = (): Program =>
      Program.start('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', process.execPath, ...args])
    await using first = startOnOnePipe()
    await first.untilLine('└──')
    const readyAt = first.lines.findIndex((line) => line.includes('is ready'))
    expect(first.lines.slice(readyAt + 1, first.lines.indexOf('└──') + 1)).toEqual([
      '',
      '┌──',
      expect.stringMatching(/^│ The console is at http:\/\/127\.0\.0\.1:\d+\/ and/),
      '│   user      admin',
      expect.stringMatching(/^│ {3}password {2}[\w-]{24}$/),
      expect.stringContaining('users passwd admin'),
      '└──',
    ])
    await first.stop('SIGTERM')
    await using second = startOnOnePipe()
    await second.untilLine('is ready')
    await second.stop('SIGTERM')
    expect(second.lines.join('\n')).not.toContain('password')
  })

  test('goes on when nobody reads its log any more', async () => {
    const script = `"$0" "$@" | head -n 1`
    const readyFile = join(newFolder(), 'ready.json')
    const args = [CLI, 'start', '--data-dir', join(newFolder(), 'data'), '--ready-json', readyFile]
    await using program = Program.start('/bin/sh', ['-c', script, process.execPath, ...args, ...FREE_PORTS], {
      group: true,
    })
    await until('the ready file', () => existsSync(readyFile))
    const { pid, listeners } = JSON.parse(readFileSync(readyFile, 'utf8')) as {
      pid: number
      listeners: { mqtt: { port: number } }
    }
    for (let index = 0; index < 3; index++) (await openSocket(listeners.mqtt.port)).end('GET / HTTP/1.1\r\n\r\n')
    const publisher = await client(`mqtt://127.0.0.1:${listeners.mqtt.port}`)
    await publisher.publishAsync('still', 'there', { qos: 1 })
    process.kill(pid, 'SIGTERM')
    expect((await program.ended()).code).toBe(0)
  })
})

describe('a start that cannot be', () => {
  test('names the listener whose port is busy and the key to set, and leaves nothing open; the password that it made is told', async () => {
    const busy = await occupyPort()
    const free = await start()
    const mqttPort = free.port('mqtt')
    await free.program.stop('SIGTERM')
    const dataDir = join(newFolder(), 'data')
    const settings = [`listeners.mqtt.port=${mqttPort}`, `listeners.ws.port=${busy}`, 'log.level=error']
    const program = launch({ dataDir, settings, listeners: ['mqtt', 'ws'] })
    expect(await program.ended()).toEqual({ code: 1, signal: null })
    expect(program.errors).toEqual([
      '',
      '┌──',
      '│ The start has failed, but a user for the console was made:',
      '│   user      admin',
      expect.stringMatching(/^│ {3}password {2}[\w-]{24}$/),
      expect.stringMatching(
        /^│ The password is shown only this once\. `.* users passwd admin --data-dir .*` sets another\.$/,
      ),
      '└──',
      '',
      `ternmq: listener ws cannot bind 127.0.0.1:${busy}: the port is in use; stop the other program or set listeners.ws.port`,
      expect.stringMatching(/ start --set .* --set listeners\.ws\.port=0 --data-dir /),
    ])
    await start({ dataDir, settings: [`listeners.mqtt.port=${mqttPort}`] })
  })

  test('names all ports that are busy at once, and what to paste', async () => {
    const [one, other, page] = [await occupyPort(), await occupyPort(), await occupyPort()]
    const program = launch({
      settings: [`listeners.mqtt.port=${one}`, `listeners.stomp.port=${other}`, `console.port=${page}`],
      listeners: ['mqtt', 'stomp', 'ws'],
      env: { TERNMQ_ADMIN_PASSWORD: 'correct horse' },
    })
    expect((await program.ended()).code).toBe(1)
    expect(program.errors).toEqual([
      expect.stringMatching(`^ternmq: listener mqtt cannot bind 127.0.0.1:${one}: the port is in use`),
      expect.stringMatching(`^ternmq: listener stomp cannot bind 127.0.0.1:${other}: the port is in use`),
      // It would be next to find its port taken.
      `ternmq: the console cannot listen on 127.0.0.1:${page}: the port is in use; set console.port`,
      expect.stringContaining('--set listeners.mqtt.port=0 --set listeners.stomp.port=0 --set console.port=0'),
    ])
  })

  test('says what is wrong in the configuration: file, line, key, value, and what is allowed', async () => {
    const folder = newFolder()
    const file = join(folder, 'broker.yaml')
    writeFileSync(file, 'mqtt:\n  maxQos: 3\n  maxPaketBytes: 1\n')
    const program = launch({ args: ['--config', file] })
    expect((await program.ended()).code).toBe(1)
    expect(program.errors).toEqual([
      `ternmq: ${file}:3:3: mqtt.maxPaketBytes is not a known key; did you mean mqtt.maxPacketBytes?`,
      `ternmq: ${file}:2:11: mqtt.maxQos is 3; allowed is a whole number from 0 to 2`,
    ])
  })

  test('is refused on an address that others reach until somebody could log in', async () => {
    const dataDir = join(newFolder(), 'data')
    // Where there is a console there is somebody: the first start makes an administrator.
    const exposed = { dataDir, settings: ['listeners.mqtt.host=0.0.0.0', 'console.enabled=false'] }
    const program = launch(exposed)
    expect((await program.ended()).code).toBe(1)
    expect(program.errors).toHaveLength(1)
    expect(program.errors[0]).toMatch(/^ternmq: listeners\.mqtt listens on 0\.0\.0\.0, .* users add NAME --data-dir /)

    await ternmq(['users', 'add', 'alice', '--password-stdin', '--data-dir', dataDir], 'secret')
    const broker = await start(exposed)
    expect(broker.ready.listeners['mqtt']?.host).toBe('0.0.0.0')
  })

  test('tells a wrong option apart from a failure by its exit code', async () => {
    expect(await ternmq(['start', '--prot', '1'])).toMatchObject({
      code: 2,
      stderr: [expect.stringMatching(/^ternmq: unknown option '--prot'; settings are given as --set /)],
    })
    expect(await ternmq(['strat'])).toMatchObject({ code: 2 })
  })

  test('names a certificate file that is not there', async () => {
    const cert = join(newFolder(), 'missing.pem')
    const program = launch({
      listeners: ['mqtts'],
      settings: [`listeners.mqtts.tls.cert=${cert}`, `listeners.mqtts.tls.key=${cert}`],
    })
    expect((await program.ended()).code).toBe(1)
    expect(program.errors.join('\n')).toContain(`cannot read the certificate ${cert}`)
  })
})

describe('the data directory', () => {
  test('belongs to one broker: a second one is told which process has it', async () => {
    const first = await start()
    const second = launch({ dataDir: first.dataDir })
    expect((await second.ended()).code).toBe(1)
    expect(second.errors).toEqual([
      `ternmq: the data directory ${first.dataDir} is in use by process ${first.ready.pid}; stop it, or give this one its own with --data-dir`,
    ])
  })

  test('is free again after kill -9', async () => {
    const first = await start()
    await first.program.stop('SIGKILL')
    expect(existsSync(join(first.dataDir, 'admin.sock'))).toBe(true)
    const second = await start({ dataDir: first.dataDir })
    await client(`mqtt://127.0.0.1:${second.port('mqtt')}`)
  })

  test('goes to one of several brokers that start at once', async () => {
    const dataDir = join(newFolder(), 'data')
    mkdirSync(dataDir)
    const programs = Array.from({ length: 4 }, () => launch({ dataDir }))
    const isReady = (program: Program): boolean => program.lines.some((line) => line.includes('is ready'))
    await until('one ready and three ended', () => {
      const endedCount = programs.filter((program) => program.hasEnded).length
      return endedCount === 3 && programs.some(isReady)
    })
    expect(programs.filter(isReady)).toHaveLength(1)
  })
})

describe('other commands', () => {
  test('`config print` gives YAML with the source of every value, and nothing else, on standard output', async () => {
    const printed = await ternmq(['config', 'print', '--set', 'mqtt.maxQos=1'])
    expect(printed).toMatchObject({ code: 0, stderr: [] })
    expect(printed.stdout[0]).toMatch(/^dataDir: /)
    expect(printed.stdout).toContainEqual(expect.stringMatching(/^ {2}maxQos: 1 +# flag --set mqtt\.maxQos$/))
  })

  test('what `config print` gives is a configuration file with the same values', async () => {
    const file = join(newFolder(), 'printed.yaml')
    const printed = await ternmq(['config', 'print', '--set', 'mqtt.maxQos=1'])
    writeFileSync(file, printed.stdout.join('\n'))
    const again = await ternmq(['config', 'print', '--config', file])
    const values = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/ +#.*/, ''))
    expect(again.code).toBe(0)
    expect(values(again.stdout)).toEqual(values(printed.stdout))
  })

  test('`config schema` gives a JSON Schema', async () => {
    const { code, stdout } = await ternmq(['config', 'schema'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({ type: 'object', title: 'TernMQ configuration' })
  })

  test('`config check` tells what it looked at, as text or JSON, and warns about settings of later versions', async () => {
    const dataDir = newFolder()
    const check = (...args: string[]): ReturnType<typeof ternmq> =>
      ternmq(['config', 'check', '--data-dir', dataDir, ...args])
    const good = await check()
    expect(good).toMatchObject({ code: 0, stderr: [] })
    expect(good.stdout[0]).toMatch(
      new RegExp(
        `^without a file the configuration is good: 1 of \\d+ settings differ from the defaults, .* listeners, a development certificate for mqtts.*, 0 users in ${dataDir}$`,
      ),
    )
    expect(good.stdout).toContainEqual(expect.stringMatching(/^ {2}mqtt +127\.0\.0\.1:1883$/))
    expect(await check('--set', 'virtualHosts.a=1')).toMatchObject({
      code: 0,
      stderr: [expect.stringMatching(/^ternmq: warning: .*virtualHosts is not built yet/)],
    })
    expect(await check('--set', 'mqtt.maxQos=9')).toMatchObject({ code: 1, stdout: [] })
    const bad = await check('--json', '--set', 'mqtt.maxQos=9')
    expect(bad).toMatchObject({ code: 1, stderr: [] })
    expect(JSON.parse(bad.stdout.join('\n'))).toMatchObject({ ok: false, errors: [expect.stringContaining('maxQos')] })
    expect(existsSync(join(dataDir, 'certificates'))).toBe(false)
  })

  test.each(['', 'start ', 'config ', 'users ', 'store ', 'resolve '])(
    '`ternmq %s--help` explains it',
    async (command) => {
      const { code, stdout, stderr } = await ternmq(`${command}--help`.split(' '))
      expect({ code, stderr }).toEqual({ code: 0, stderr: [] })
      expect(stdout[0]).toMatch(/^Usage: ternmq/)
    },
  )

  test('`ternmq` alone explains itself', async () => {
    const { code, stdout, stderr } = await ternmq([])
    expect({ code, stderr, first: stdout[0] }).toEqual({
      code: 0,
      stderr: [],
      first: 'Usage: ternmq COMMAND [ARGUMENT…] [OPTION…]',
    })
  })

  test('`version` prints the version', async () => {
    expect(await ternmq(['version'])).toEqual({ code: 0, stdout: ['0.1.0'], stderr: [] })
  })
})
