/** What an address means in a protocol, how the others write it, and whether it exists. */
import { Button, Group, Select, TextInput } from '@mantine/core'
import { resolveAddress } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { CopyButton } from '../components/code-block.tsx'
import { CurlView } from '../components/curl-view.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { PROTOCOLS } from '../features/access/can-tester.tsx'
import { queueNameOf } from '../features/messages/spellings.ts'
import { fieldError, toProblem } from '../lib/api.ts'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'

export function ResolvePage() {
  const url = useUrlState()
  const protocol = url.get('protocol') === '' ? 'stomp' : url.get('protocol')
  const [text, setText] = useState(url.get('address'))
  const [chosen, setChosen] = useState(protocol)
  const input = { query: { address: url.get('address'), protocol } }
  const isAsked = input.query.address !== ''
  const { data, error } = useLook(resolveAddress, input, { enabled: isAsked })
  const problem = error === null ? undefined : toProblem(error)
  return (
    <Page
      title="Addresses"
      about="Every protocol writes the names of queues and topics in its own way. Give one, and see what it means and how the others write it."
    >
      <Panel>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            url.set({ address: text, protocol: chosen })
          }}
        >
          <Group align="flex-end" gap="sm">
            <TextInput
              label="Address"
              w={340}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              error={fieldError(problem, 'address')}
              placeholder="/queue/orders.new"
              required
              data-filter
            />
            <Select
              label="As written in"
              data={PROTOCOLS}
              value={chosen}
              onChange={(value) => setChosen(value ?? 'stomp')}
              allowDeselect={false}
              w={130}
            />
            <Button type="submit" size="sm">
              Explain
            </Button>
          </Group>
        </form>
      </Panel>
      <ProblemView problem={problem} />
      {isAsked && data !== undefined && problem === undefined && (
        <>
          <Panel>
            <div className="stack-tight" role="status">
              <div className="row">
                <Mark tone={data.ok ? 'good' : 'bad'}>{data.ok ? 'understood' : 'refused'}</Mark>
                <b>{data.means}</b>
                {data.exists === true && <Mark>exists</Mark>}
                {data.exists === false && <Mark tone="warn">does not exist yet</Mark>}
                {data.exists === true && data.address !== undefined && queueNameOf(data.address) !== undefined && (
                  <Link to="/queues/$queue" params={{ queue: queueNameOf(data.address) }}>
                    Show
                  </Link>
                )}
              </div>
              <div>
                {data.ruleText} <code className="dim">{data.rule}</code>
              </div>
              {data.notes.map((note) => (
                <div key={note} className="dim">
                  {note}
                </div>
              ))}
            </div>
          </Panel>
          {data.spellings.length > 0 && (
            <Panel title="The same in other words">
              <table className="pairs">
                <tbody>
                  {data.spellings.map((spelling) => (
                    <tr key={spelling.protocol}>
                      <th scope="row">{spelling.protocol}</th>
                      <td>
                        {spelling.text === undefined ? (
                          <span className="dim">cannot be written there</span>
                        ) : (
                          <>
                            {spelling.text}{' '}
                            <CopyButton text={spelling.text} label={`Copy the address for ${spelling.protocol}`} />
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Panel>
          )}
          <CurlView route={resolveAddress} input={input} />
        </>
      )}
    </Page>
  )
}
