import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { OutputLost, StandardOutput } from './standard-output.ts'

/** Standard output that is a file. */
function toFile(path: string): StandardOutput {
  const fd = openSync(path, 'w')
  onTestFinished(() => closeSync(fd))
  return new StandardOutput({ fd, on: () => {} } as unknown as NodeJS.WriteStream & { readonly fd: number })
}

/** Standard output that is a pipe, and who reads it. */
async function toPipe(): Promise<{ readonly output: StandardOutput; readonly reader: Socket }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(tmpdir(), `ternmq-${process.pid}.sock`), resolve))
  onTestFinished(() => void server.close())
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const stream = connect(server.address() as string)
  const reader = await accepted
  onTestFinished(() => void reader.destroy())
  onTestFinished(() => void stream.destroy())
  return { output: new StandardOutput(stream as unknown as NodeJS.WriteStream & { readonly fd: number }), reader }
}

test('what went to a file is all there once it is written', async () => {
  const path = join(tmpdir(), `ternmq-${process.pid}.out`)
  onTestFinished(() => rmSync(path))
  const output = toFile(path)
  output.write('one ')
  output.write(Buffer.from('two'))
  await output.written()
  expect(readFileSync(path, 'utf8')).toBe('one two')
})

test('a file system that is full is told, also when it takes what comes later', async () => {
  const output = toFile('/dev/full')
  output.write('x')
  await expect(output.written()).rejects.toThrow(/^cannot write to standard output: ENOSPC.*; what was printed is not/)
  await expect(output.written()).rejects.toMatchObject({ code: 'OUTPUT_LOST', isReaderGone: false })
})

test('what goes into a pipe is written when the pipe has taken it', async () => {
  const { output, reader } = await toPipe()
  const chunks: Buffer[] = []
  reader.on('data', (chunk: Buffer) => chunks.push(chunk))
  output.write('one ')
  output.write('two')
  await output.written()
  reader.end()
  await new Promise((resolve) => reader.once('end', resolve).once('close', resolve))
  expect(Buffer.concat(chunks).toString()).toBe('one two')
})

test('a reader that has left is known as such', async () => {
  const { output, reader } = await toPipe()
  await new Promise<void>((resolve) => reader.once('close', () => resolve()).destroy())
  output.write('x'.repeat(1_000_000))
  const lost = await output.written().catch((error: unknown) => error)
  expect(lost).toBeInstanceOf(OutputLost)
  expect(lost).toMatchObject({ isReaderGone: true })
})
