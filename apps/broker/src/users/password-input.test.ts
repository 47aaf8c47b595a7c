import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'

import { promptLogin, promptPassword, readPassword } from './password-input.ts'

/** Standard input of a terminal that notes whether it shows what is typed. */
class Terminal extends PassThrough {
  readonly isTTY = true
  isRaw = false

  setRawMode(raw: boolean): this {
    this.isRaw = raw
    return this
  }
}

function ioWith(stdin: PassThrough): { io: Parameters<typeof promptPassword>[0]; shown: string[] } {
  const shown: string[] = []
  const stream = {
    write: (text: string) => {
      if (text.endsWith(': ')) expect(stdin).toMatchObject({ isRaw: true }) // a fast typist must not be seen
      shown.push(text)
    },
    written: () => Promise.resolve(),
  }
  return {
    io: {
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: stream,
      stderr: stream,
      env: {},
      started: { command: 'ternmq', options: '', sets: '' },
    },
    shown,
  }
}

async function typed(
  ...keys: string[]
): Promise<{ password: Promise<Uint8Array>; shown: string[]; terminal: Terminal }> {
  const terminal = new Terminal()
  const { io, shown } = ioWith(terminal)
  const password = promptPassword(io, 'alice')
  password.catch(() => {}) // each test looks at it later
  for (const key of keys) {
    terminal.write(key)
    await new Promise(setImmediate)
  }
  return { password, shown, terminal }
}

test.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  ['two\nlines\n', 'two\nlines'],
  ['', ''],
])('the password in %j is %j', async (input, password) => {
  expect(Buffer.from(await readPassword([Buffer.from(input)] as never)).toString()).toBe(password)
})

test('input that is too long for a password is refused before it fills the memory', async () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1_024)
  }
  await expect(readPassword(endless())).rejects.toThrow('standard input has more than 16384 bytes')
})

test('a password is typed twice, corrected with backspace and Ctrl-U, and never shown', async () => {
  const { password, shown, terminal } = await typed('wrong\u0015secre', 'x\u007ft\r', 'secret\r')
  expect(Buffer.from(await password).toString()).toBe('secret')
  expect(shown).toEqual(['Password for alice: ', '\n', 'The same again: ', '\n'])
  expect(terminal.isRaw).toBe(false)
})

test('two different passwords are refused', async () => {
  const { password } = await typed('one\r', 'other\r')
  await expect(password).rejects.toThrow('the two passwords differ')
})

test('Ctrl-C gives up and shows again what is typed', async () => {
  const { password, terminal } = await typed('sec\u0003')
  await expect(password).rejects.toThrow('no password was given')
  expect(terminal.isRaw).toBe(false)
})

test('without a terminal nobody is asked', async () => {
  const { io } = ioWith(new PassThrough())
  await expect(promptPassword(io, 'alice')).rejects.toThrow('give --password-stdin')
})

test('a name in the question has no character that the terminal would obey', async () => {
  const terminal = new Terminal()
  const { io, shown } = ioWith(terminal)
  const password = promptLogin(io, 'a\u001B]0;pwned\u0007')
  terminal.write('secret\r')
  await password
  expect(shown[0]).toBe('Password for a\\u{1b}]0;pwned\\u{7}: ')
})
