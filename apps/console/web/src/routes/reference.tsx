/** The API as its own document describes it: calls, what goes in and comes out, and each to be tried with curl. */
import { Button, TextInput } from '@mantine/core'
import { API_ROOT } from '@ternmq/api'
import { useQuery } from '@tanstack/react-query'
import { CodeBlock } from '../components/code-block.tsx'
import { Icon } from '../components/icons.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { type Operation, operationsOf, type OpenApiDocument } from '../features/api/openapi.ts'
import { SchemaView } from '../features/api/schema-view.tsx'
import { toProblem } from '../lib/api.ts'
import { addressOf, BROKER_URL } from '../lib/base.ts'
import { shellQuote } from '../lib/curl.ts'
import { asSentence } from '../lib/format.ts'
import { useUrlState } from '../lib/url-state.ts'

const DOCUMENT = addressOf(`${API_ROOT}/openapi.json`)

async function lookUpDocument(): Promise<OpenApiDocument> {
  const response = await fetch(DOCUMENT, { credentials: 'same-origin' })
  if (!response.ok) throw new Error(`The document ${DOCUMENT} could not be loaded: status ${response.status}.`)
  return (await response.json()) as OpenApiDocument
}

export function ApiPage() {
  const url = useUrlState()
  const { data, error, refetch } = useQuery({ queryKey: ['openapi'], queryFn: lookUpDocument, staleTime: Infinity })
  const wanted = url.get('q').toLowerCase()
  const open = url.get('open')
  const groups = data === undefined ? [] : operationsOf(data, wanted)
  return (
    <Page
      title="API"
      about="Everything that this console does is a call of this API. Scripts send a token as authorization: Bearer TOKEN."
      actions={
        <Button component="a" href={DOCUMENT} variant="default" leftSection={<Icon name="file" size={14} />}>
          OpenAPI document
        </Button>
      }
    >
      {error !== null && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      <TextInput
        w={320}
        aria-label="Filter calls"
        placeholder="Filter calls  ( / )"
        data-filter
        value={url.get('q')}
        onChange={(event) => url.set({ q: event.currentTarget.value }, { replace: true })}
      />
      {groups.map((group) => (
        <Panel
          key={group.tag}
          title={asSentence(group.tag)}
          right={<span className="dim small">{group.description}</span>}
        >
          <ul className="plain-list calls">
            {group.operations.map((operation) => (
              <li key={operation.id}>
                <button
                  type="button"
                  className="call-head"
                  aria-expanded={open === operation.id}
                  onClick={() =>
                    url.set({ open: open === operation.id ? '' : operation.id }, { replace: true, keepScroll: true })
                  }
                >
                  <span className={`method method-${operation.method}`}>{operation.method.toUpperCase()}</span>
                  <code>{operation.path}</code>
                  <span className="dim">{operation.summary}</span>
                </button>
                {open === operation.id && data !== undefined && <OperationView operation={operation} document={data} />}
              </li>
            ))}
          </ul>
        </Panel>
      ))}
    </Page>
  )
}

function OperationView({ operation, document }: { readonly operation: Operation; readonly document: OpenApiDocument }) {
  const { parameters, body, answers, description } = operation
  return (
    <div className="stack call-body">
      {description !== undefined && <div>{description}</div>}
      {parameters.length > 0 && (
        <table className="pairs" aria-label="Parameters">
          <tbody>
            {parameters.map((parameter) => (
              <tr key={`${parameter.in} ${parameter.name}`}>
                <th scope="row">
                  {parameter.name} <Mark>{parameter.in}</Mark>{' '}
                  {parameter.required === true && <Mark tone="accent">required</Mark>}
                </th>
                <td>
                  <SchemaView schema={parameter.schema ?? {}} document={document} /> {parameter.description}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {body !== undefined && (
        <div>
          <b>Body</b>
          <SchemaView schema={body} document={document} />
        </div>
      )}
      {answers.map(({ status, description: meaning, schema }) => (
        <div key={status}>
          <b>{status}</b> <span className="dim">{meaning}</span>
          {schema !== undefined && <SchemaView schema={schema} document={document} />}
        </div>
      ))}
      <CodeBlock label="Command" text={commandOf(operation)} />
    </div>
  )
}

function commandOf({ method, path, example }: Operation): string {
  const address = BROKER_URL + path.replace('{vhost}', '%2F')
  const body =
    example === undefined ? [] : [`-H 'content-type: application/json'`, `-d ${shellQuote(JSON.stringify(example))}`]
  return [
    'curl --fail-with-body',
    ...(method === 'get' ? [] : [`-X ${method.toUpperCase()}`]),
    '-H "authorization: Bearer $TERNMQ_TOKEN"',
    ...body,
    shellQuote(address),
  ].join(' \\\n  ')
}
