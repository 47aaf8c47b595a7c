/** All that was defined as one document: to keep, to compare, and to bring back. */
import { Alert, Button, Checkbox, Code, Group, Textarea, TextInput } from '@mantine/core'
import {
  type Applied,
  applyDefinitions,
  DEFINITION_SECTIONS,
  type Definitions,
  exportDefinitions,
  type Plan,
  planDefinitions,
  type PlanStep,
  type TurnQuery,
} from '@ternmq/api'
import { decodeText, TextFault } from '@ternmq/config/document-text'
import { type ReactNode, useRef, useState } from 'react'
import { CodeBlock } from '../components/code-block.tsx'
import { nameColumn } from '../components/columns.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { CurlView } from '../components/curl-view.tsx'
import { Icon } from '../components/icons.tsx'
import { Mark, type Tone } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { LookProblem, ProblemView } from '../components/problem-view.tsx'
import { UrlTabs } from '../components/url-tabs.tsx'
import { useDocument, useYaml } from '../features/definitions/read-document.ts'
import { saveFile } from '../lib/save-file.ts'
import { asSentence, formatCount, formatMany } from '../lib/format.ts'
import { useAct, useLook } from '../lib/query.ts'

export function DefinitionsPage() {
  return (
    <Page
      title="Definitions"
      about="Users, permissions, policies and queues that were made here, by the command line or by scripts. What stands in the configuration is not among them."
    >
      <UrlTabs
        label="Definitions"
        tabs={[
          { key: 'export', label: 'Export', content: () => <Export /> },
          { key: 'apply', label: 'Plan and apply', content: () => <Apply /> },
        ]}
      />
    </Page>
  )
}

function Export() {
  const [sections, setSections] = useState<readonly SectionName[]>(WITHOUT_SECRETS)
  const input = sections.length === DEFINITION_SECTIONS.length ? {} : { query: { only: sections.join(',') } }
  const look = useLook(exportDefinitions, input)
  const { data } = look
  return (
    <div className="stack">
      <LookProblem of={look} />
      <Sections chosen={sections} onChange={setSections} />
      {data !== undefined && <Document definitions={data} input={input} />}
    </div>
  )
}

type SectionName = (typeof DEFINITION_SECTIONS)[number]

/** Nobody should find hashes of passwords on his screen who has not asked for them. */
const WITHOUT_SECRETS = DEFINITION_SECTIONS.filter((section) => section !== 'users')

const SECTION_LABELS = {
  users: 'Users, with hashes of their passwords',
  permissions: 'Permissions',
  policies: 'Policies',
  queues: 'Queues',
} as const satisfies Record<SectionName, string>

interface SectionsProps {
  /** One at least. */
  readonly chosen: readonly SectionName[]
  readonly onChange: (chosen: readonly SectionName[]) => void
}

function Sections({ chosen, onChange }: SectionsProps) {
  return (
    <Group gap="md" role="group" aria-label="Sections">
      {DEFINITION_SECTIONS.map((section) => {
        const isChosen = chosen.includes(section)
        const others = chosen.filter((each) => each !== section)
        const next = DEFINITION_SECTIONS.filter((each) => (each === section ? !isChosen : others.includes(each)))
        return (
          <Checkbox
            key={section}
            label={SECTION_LABELS[section]}
            checked={isChosen}
            disabled={isChosen && others.length === 0}
            onChange={() => onChange(next)}
          />
        )
      })}
    </Group>
  )
}

interface DocumentProps {
  readonly definitions: Definitions
  readonly input: { readonly query?: { readonly only: string } }
}

function Document({ definitions, input }: DocumentProps) {
  const { users, permissions, policies, queues } = definitions
  const { text, wrong } = useYaml(definitions)
  const counts = [
    users && formatMany(users.length, 'user'),
    permissions && formatMany(permissions.length, 'permission'),
    policies && formatMany(policies.length, 'policy', 'policies'),
    queues && formatMany(queues.length, 'queue'),
  ]
  return (
    <Panel
      title={counts.filter((count) => count !== undefined).join(', ')}
      right={
        <Button
          leftSection={<Icon name="download" size={14} />}
          disabled={text === undefined}
          onClick={() => text !== undefined && saveFile('ternmq-definitions.yaml', text)}
        >
          Download
        </Button>
      }
    >
      <div className="stack-tight">
        {wrong !== undefined && <div role="alert">{asSentence(wrong)}</div>}
        {text !== undefined && <CodeBlock text={text} label="Definitions" maxHeight={520} />}
        <CurlView route={exportDefinitions} input={input} />
      </div>
    </Panel>
  )
}

function Apply() {
  const [text, setText] = useState('')
  /** Of the file opened last: why it is no text. */
  const [unread, setUnread] = useState<string | undefined>(undefined)
  const [prune, setPrune] = useState(false)
  const [typed, setTyped] = useState('')
  const [isMeant, setMeant] = useState(false)
  const [plan, setPlan] = useState<Plan | undefined>(undefined)
  const [applied, setApplied] = useState<Applied | undefined>(undefined)
  const { definitions, wrong } = useDocument(text)
  const make = useAct(planDefinitions, { onDone: setPlan })
  const apply = useAct(applyDefinitions, {
    onDone: (answer) => {
      setApplied(answer)
      setPlan(undefined)
      setTyped('')
    },
  })
  const change = (what: () => void): void => {
    setUnread(undefined)
    what()
    setPlan(undefined)
    setMeant(false)
    setApplied(undefined)
    make.reset()
    apply.reset()
  }
  const deletes = plan?.steps.filter(({ change: kind }) => kind === 'delete') ?? []
  const atRisk = deletes.reduce((sum, { messagesAtRisk }) => sum + messagesAtRisk, 0)
  const planInput = definitions === undefined ? undefined : { body: { definitions, prune } }
  const makeAnew = (input: NonNullable<typeof planInput>): void => {
    change(() => setTyped(''))
    make.run(input)
  }
  const applyInput =
    definitions === undefined || plan === undefined
      ? undefined
      : { body: { definitions, prune, plan: plan.id, ...turnOf(plan) } }
  const isSure = (deletes.length === 0 || typed === 'delete') && (plan?.turns === undefined || isMeant)
  return (
    <div className="stack">
      <Panel title="The document">
        <div className="stack-tight">
          <Textarea
            aria-label="Definitions as YAML or JSON"
            placeholder="Paste a document here, YAML or JSON, or open a file"
            minRows={8}
            maxRows={20}
            autosize
            classNames={{ input: 'mono' }}
            value={text}
            onChange={(event) => change(() => setText(event.currentTarget.value))}
            error={(unread ?? wrong) !== undefined && <span className="mono pre">{unread ?? wrong}</span>}
            spellCheck={false}
          />
          <Group gap="sm">
            <OpenFile
              onText={(opened) => change(() => setText(opened))}
              onUnread={(why) => change(() => setUnread(why))}
            />
            <Checkbox
              label="Delete what is not in it (prune)"
              checked={prune}
              onChange={(event) => change(() => setPrune(event.currentTarget.checked))}
            />
            <Button
              ml="auto"
              disabled={planInput === undefined}
              loading={make.isRunning}
              onClick={() => planInput !== undefined && makeAnew(planInput)}
            >
              Plan
            </Button>
          </Group>
          <ProblemView problem={make.problem} />
          <CurlView route={planDefinitions} input={planInput} />
        </div>
      </Panel>
      {plan !== undefined && (
        <Panel
          title={plan.steps.length === 0 ? 'Nothing to do' : `The plan: ${formatMany(plan.steps.length, 'step')}`}
          right={<span className="dim">{formatCount(plan.unchangedCount)} unchanged</span>}
          flush
        >
          {plan.steps.length > 0 && (
            <>
              <Steps steps={plan.steps} label="Steps of the plan" />
              <div className="panel-foot">
                {plan.warnings.map((warning) => (
                  <Alert key={warning} color="yellow" variant="light" className="problem notice">
                    {asSentence(warning)}
                  </Alert>
                ))}
                {plan.turns !== undefined && (
                  <Checkbox
                    label={
                      plan.turns === 'limited'
                        ? 'Yes, deny what no permission allows'
                        : 'Yes, let everybody do everything'
                    }
                    checked={isMeant}
                    onChange={(event) => setMeant(event.currentTarget.checked)}
                  />
                )}
                {deletes.length > 0 && (
                  <TextInput
                    label={
                      <>
                        {formatMany(deletes.length, 'thing')} will be deleted
                        {atRisk > 0 && `, with ${formatMany(atRisk, 'message')}`}. Type <Code>delete</Code> to confirm
                      </>
                    }
                    value={typed}
                    onChange={(event) => setTyped(event.currentTarget.value)}
                    autoComplete="off"
                  />
                )}
                <Button
                  {...(deletes.length > 0 ? { color: 'red' } : {})}
                  disabled={!isSure}
                  loading={apply.isRunning}
                  onClick={() => applyInput !== undefined && apply.run(applyInput)}
                >
                  Apply {formatMany(plan.steps.length, 'step')}
                </Button>
              </div>
            </>
          )}
        </Panel>
      )}
      <ProblemView problem={apply.problem} />
      {apply.problem !== undefined && planInput !== undefined && (
        <div className="row">
          <Button variant="default" loading={make.isRunning} onClick={() => makeAnew(planInput)}>
            Plan again
          </Button>
          <span className="dim">It says what is left to do.</span>
        </div>
      )}
      {applied !== undefined && (
        <Outcome applied={applied} onResume={planInput === undefined ? undefined : () => makeAnew(planInput)} />
      )}
    </div>
  )
}

/** Whoever applies it says what it turns for everybody. */
function turnOf({ turns }: Plan): TurnQuery {
  return turns === undefined ? {} : { everybody: turns }
}

const TONES = { create: 'good', change: 'accent', delete: 'bad' } as const satisfies Record<PlanStep['change'], Tone>

const STEP_COLUMNS: ReadonlyArray<Column<PlanStep>> = [
  { key: 'change', label: 'Step', width: 8, render: (row) => <Mark tone={TONES[row.change]}>{row.change}</Mark> },
  { key: 'kind', label: 'What', width: 12, render: (row) => row.kind },
  nameColumn('name', 'Name', { width: 26 }),
  {
    key: 'risk',
    label: 'Messages lost',
    width: 13,
    align: 'right',
    render: (row) => (row.messagesAtRisk === 0 ? '–' : <Mark tone="bad">{formatCount(row.messagesAtRisk)}</Mark>),
  },
  {
    key: 'detail',
    label: 'Detail',
    render: (row) => <span title={row.detail.join('\n')}>{row.detail.join('; ')}</span>,
  },
]

function Steps({ steps, label }: { readonly steps: readonly PlanStep[]; readonly label: string }) {
  return <DataTable label={label} columns={STEP_COLUMNS} rows={steps} keyOf={({ kind, name }) => `${kind} ${name}`} />
}

function Outcome({
  applied,
  onResume,
}: {
  readonly applied: Applied
  readonly onResume: (() => void) | undefined
}): ReactNode {
  const { done, failed, left } = applied
  if (failed === undefined) {
    return (
      <Panel>
        <div role="status">It is so: {formatMany(done.length, 'step')} done.</div>
      </Panel>
    )
  }
  return (
    <Panel
      title={`It got through ${formatMany(done.length, 'step')} of ${done.length + left.length + 1}`}
      right={
        onResume !== undefined && (
          <Button onClick={onResume} variant="default">
            Plan again, to resume
          </Button>
        )
      }
    >
      <div className="stack-tight" role="alert">
        <div>
          <Mark tone="bad">failed</Mark> {failed.step.change} {failed.step.kind} <b>{failed.step.name}</b>:{' '}
          {failed.reason}
        </div>
        <div className="dim">
          {formatMany(done.length, 'step')} before it {done.length === 1 ? 'is' : 'are'} done,{' '}
          {formatMany(left.length, 'step')} after it {left.length === 1 ? 'is' : 'are'} not. Put right what stands in
          the way, then plan again: the new plan has what is left.
        </div>
        {done.length > 0 && <Steps steps={done} label="Steps done" />}
        {left.length > 0 && <Steps steps={left} label="Steps left" />}
      </div>
    </Panel>
  )
}

interface OpenFileProps {
  readonly onText: (text: string) => void
  readonly onUnread: (why: string) => void
}

function OpenFile({ onText, onUnread }: OpenFileProps) {
  const input = useRef<HTMLInputElement>(null)
  const open = async (file: File): Promise<void> => {
    try {
      onText(decodeText(new Uint8Array(await file.arrayBuffer())))
    } catch (error) {
      onUnread(
        error instanceof TextFault
          ? `${file.name}:${error.line}:${error.column}: ${error.reason}`
          : `The browser cannot read ${file.name}; open it again`,
      )
    }
  }
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".yaml,.yml,.json,application/yaml,application/json"
        className="sr-only"
        aria-label="File with definitions"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          if (file !== undefined) void open(file)
          event.currentTarget.value = ''
        }}
      />
      <Button variant="default" onClick={() => input.current?.click()}>
        Open a file
      </Button>
    </>
  )
}
