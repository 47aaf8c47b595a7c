/** May somebody do something with an address? Says which rule decides, and why the others do not. */
import { Button, Group, Select, TextInput } from '@mantine/core'
import { can, type CanAnswer, type CanQuery } from '@ternmq/api'
import { useState } from 'react'
import { CurlView } from '../../components/curl-view.tsx'
import { Icon } from '../../components/icons.tsx'
import { Panel } from '../../components/page.tsx'
import { ProblemView } from '../../components/problem-view.tsx'
import { fieldError, toProblem } from '../../lib/api.ts'
import { useLook } from '../../lib/query.ts'
import { useUrlState } from '../../lib/url-state.ts'

const ACTIONS = ['publish', 'subscribe', 'browse', 'admin'] as const
export const PROTOCOLS = ['rest', 'mqtt', 'stomp', 'amqp10']

export function CanTester() {
  const url = useUrlState()
  const [form, setForm] = useState({
    user: url.get('user'),
    action: url.get('action') === '' ? 'publish' : url.get('action'),
    address: url.get('address'),
    clientId: url.get('clientId'),
    protocol: url.get('protocol') === '' ? 'rest' : url.get('protocol'),
  })
  const set = (changes: Partial<typeof form>): void => setForm({ ...form, ...changes })
  const query: CanQuery = {
    user: url.get('user'),
    action: ACTIONS.find((action) => action === url.get('action')) ?? 'publish',
    address: url.get('address'),
    protocol: url.get('protocol') || undefined,
    clientId: url.get('clientId') || undefined,
  }
  const isAsked = query.user !== '' && query.address !== ''
  const { data, error } = useLook(can, { query }, { enabled: isAsked })
  const problem = error === null ? undefined : toProblem(error)
  return (
    <div className="stack">
      <Panel>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            url.set({ tab: 'test', ...form })
          }}
        >
          <Group align="flex-end" gap="sm">
            <TextInput
              label="May user"
              value={form.user}
              onChange={(event) => set({ user: event.currentTarget.value })}
              error={fieldError(problem, 'user')}
              required
              data-filter
            />
            <Select
              label="do"
              w={130}
              data={[...ACTIONS]}
              value={form.action}
              onChange={(action) => set({ action: action ?? 'publish' })}
              allowDeselect={false}
            />
            <TextInput
              label="with address"
              w={300}
              value={form.address}
              onChange={(event) => set({ address: event.currentTarget.value })}
              error={fieldError(problem, 'address')}
              required
              placeholder="queue://orders.new"
            />
            <Select
              label="as written in"
              w={110}
              data={PROTOCOLS}
              value={form.protocol}
              onChange={(protocol) => set({ protocol: protocol ?? 'rest' })}
              allowDeselect={false}
            />
            <TextInput
              label="with client id"
              value={form.clientId}
              onChange={(event) => set({ clientId: event.currentTarget.value })}
              error={fieldError(problem, 'clientId')}
              placeholder="any"
            />
            <Button type="submit" size="sm">
              Ask
            </Button>
          </Group>
        </form>
      </Panel>
      <ProblemView problem={problem} />
      {isAsked && data !== undefined && problem === undefined && <Answer answer={data} query={query} />}
    </div>
  )
}

function Answer({ answer, query }: { readonly answer: CanAnswer; readonly query: CanQuery }) {
  return (
    <Panel>
      <div className="stack-tight" role="status">
        <div className={answer.allowed ? 'verdict verdict-good' : 'verdict verdict-bad'}>
          <Icon name={answer.allowed ? 'check' : 'close'} size={20} />
          <span>
            {query.user} {answer.allowed ? 'may' : 'may not'} {query.action} {query.action === 'publish' ? 'to' : ''}{' '}
            <code>{answer.address}</code>
          </span>
        </div>
        <div>
          Because of <b>{answer.rule}</b>
        </div>
        {answer.notes.map((note) => (
          <div key={note} className="dim">
            {note}
          </div>
        ))}
        {answer.others.length > 0 && (
          <details>
            <summary>Rules that did not decide</summary>
            <ul className="plain-list">
              {answer.others.map(({ rule, because }) => (
                <li key={rule}>
                  {rule}: <span className="dim">{because}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
        <CurlView route={can} input={{ query }} />
      </div>
    </Panel>
  )
}
