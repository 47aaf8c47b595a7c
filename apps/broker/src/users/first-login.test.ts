import { expect, test } from 'vitest'
import { FirstLoginNotice } from './first-login.ts'

function notice(): { readonly first: FirstLoginNotice; readonly said: string[] } {
  const said: string[] = []
  const stderr = { write: (text: string | Uint8Array) => said.push(String(text)) }
  const started = { command: 'npm run -s ternmq --', options: '--data-dir d', sets: '' }
  return { first: new FirstLoginNotice({ stderr, started }), said }
}

test('says where the console is, who logs in, and how to change it, by the command that works here; once', () => {
  const { first, said } = notice()
  first.keep({ user: 'admin', password: 's3cret' })
  expect(said).toEqual([])
  first.show('http://127.0.0.1:8161/')
  first.show('http://127.0.0.1:8161/')
  expect(said).toEqual([
    `
┌──
│ The console is at http://127.0.0.1:8161/ and this is who logs in there:
│   user      admin
│   password  s3cret
│ The password is shown only this once. \`npm run -s ternmq -- users passwd admin --data-dir d\` sets another.
└──

`,
  ])
})

test('says it of a start that has failed, too', () => {
  const { first, said } = notice()
  first.keep({ user: 'admin', password: 's3cret' })
  first.show(undefined)
  expect(said.join()).toMatch(/The start has failed, but .*\n.*admin\n.*password {2}s3cret\n/)
})

test('says nothing where nobody was made', () => {
  const { first, said } = notice()
  first.show('http://127.0.0.1:8161/')
  expect({ said, isKept: first.isKept }).toEqual({ said: [], isKept: false })
})
