/** Publishes and subscribes from the page, in each protocol the broker speaks: the quickest way to see that something arrives. */
import { Alert, Button, Group, PasswordInput, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { listListeners } from '@ternmq/api'
import { useEffect, useRef, useState } from 'react'
import { EmptyState } from '../components/empty-state.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { TryLog } from '../features/try-it/try-log.tsx'
import { TRY_PROTOCOLS, type TryProtocol } from '../features/try-it/try-client.ts'
import { useTry } from '../features/try-it/use-try.ts'
import { BROKER_URL } from '../lib/base.ts'
import { useLook } from '../lib/query.ts'
import { useMay, useMe } from '../lib/session.tsx'
import { useUrlState } from '../lib/url-state.ts'

export function TryPage() {
  const url = useUrlState()
  const { scopes } = useMe()
  const protocols = TRY_PROTOCOLS.filter(({ needs }) => needs === undefined || scopes.includes(needs))
  const protocol = protocols.find(({ key }) => key === url.get('protocol')) ?? protocols[0]!
  return (
    <Page
      title="Try it"
      about="A client in this page. What it publishes goes to everybody, whatever they speak: open it twice, with two protocols."
    >
      <div className="row">
        <SegmentedControl
          aria-label="Protocol"
          value={protocol.key}
          onChange={(key) => url.set({ protocol: key }, { replace: true })}
          data={protocols.map(({ key, label }) => ({ value: key, label }))}
        />
      </div>
      <Client key={protocol.key} protocol={protocol} />
    </Page>
  )
}

/** Address of the listener that pages can reach: the one with WebSocket, with TLS when the console has it. Undefined while it is looked up. */
function useSocketAddress(): string | undefined {
  const mayRead = useMay('read')
  const { data, isLoading } = useLook(listListeners, {}, { enabled: mayRead })
  if (isLoading) return undefined
  const { protocol, hostname } = new URL(BROKER_URL)
  // A page with TLS opens nothing without it.
  const isSecure = protocol === 'https:' || location.protocol === 'https:'
  const listener = data?.items.find(({ webSocket, tls }) => webSocket && tls === isSecure)
  return `${isSecure ? 'wss' : 'ws'}://${hostname}:${listener?.port ?? (isSecure ? 8_084 : 8_083)}`
}

function Client({ protocol }: { readonly protocol: TryProtocol }) {
  const me = useMe()
  const proposed = useSocketAddress()
  const [given, setGiven] = useState<string | undefined>(undefined)
  const [user, setUser] = useState(me.user)
  const [password, setPassword] = useState('')
  const [clientId] = useState(() => `console-${crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36)}`)
  const client = useTry(protocol)
  const isHttp = protocol.key === 'http'
  const url = given ?? proposed
  return (
    <>
      <Panel
        title="Connection"
        right={<Mark tone={client.isOpen ? 'good' : 'plain'}>{client.isOpen ? 'connected' : 'not connected'}</Mark>}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (client.isOpen) client.close()
            else if (url !== undefined) client.connect({ url, user, password, clientId })
          }}
        >
          <Group align="flex-end" gap="sm">
            {isHttp ? (
              <div className="dim">With your login to this page.</div>
            ) : (
              <>
                <TextInput
                  label="WebSocket address"
                  w={250}
                  value={url ?? ''}
                  onChange={(event) => setGiven(event.currentTarget.value)}
                  disabled={client.isOpen}
                />
                <TextInput
                  label="User"
                  description={undefined}
                  placeholder="anonymous"
                  value={user}
                  onChange={(event) => setUser(event.currentTarget.value)}
                  disabled={client.isOpen}
                  autoComplete="off"
                />
                <PasswordInput
                  label="Password"
                  w={180}
                  value={password}
                  onChange={(event) => setPassword(event.currentTarget.value)}
                  disabled={client.isOpen}
                  autoComplete="off"
                  visibilityToggleButtonProps={{ 'aria-label': 'Show password' }}
                />
              </>
            )}
            <Button
              type="submit"
              size="sm"
              variant={client.isOpen ? 'default' : 'filled'}
              loading={client.isBusy}
              disabled={url === undefined}
            >
              {client.isOpen ? 'Disconnect' : 'Connect'}
            </Button>
          </Group>
        </form>
        {client.problem !== undefined && (
          <Alert color="red" variant="light" mt="sm" role="alert" className="problem">
            {client.problem}
          </Alert>
        )}
      </Panel>
      <div className="grid-2">
        <Subscribe
          protocol={protocol}
          isOpen={client.isOpen}
          subscribed={client.subscribed}
          onSubscribe={client.subscribe}
        />
        <Publish protocol={protocol} isOpen={client.isOpen} onPublish={client.publish} />
      </div>
      <Panel
        title="Messages"
        right={
          <Button variant="subtle" size="compact-xs" onClick={client.clear}>
            Clear
          </Button>
        }
      >
        {client.log.length === 0 ? (
          <EmptyState icon="messages" title="Nothing yet">
            Connect, subscribe to {protocol.address}, and publish to it.
          </EmptyState>
        ) : (
          <TryLog entries={client.log} />
        )}
      </Panel>
    </>
  )
}

interface SubscribeProps {
  readonly protocol: TryProtocol
  readonly isOpen: boolean
  readonly subscribed: readonly string[]
  readonly onSubscribe: (address: string) => void
}

function Subscribe({ protocol, isOpen, subscribed, onSubscribe }: SubscribeProps) {
  const [address, setAddress] = useState(protocol.address)
  return (
    <Panel title="Subscribe">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onSubscribe(address)
        }}
      >
        <div className="stack-tight">
          <Group align="flex-end" gap="sm">
            <TextInput
              label="Address to subscribe to"
              description={protocol.hint}
              style={{ flex: 1 }}
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
              classNames={{ input: 'mono' }}
              required
            />
            <Button type="submit" size="sm" disabled={!isOpen}>
              Subscribe
            </Button>
          </Group>
          <div className="row">
            {subscribed.map((one) => (
              <Mark key={one} tone="accent">
                {one}
              </Mark>
            ))}
          </div>
        </div>
      </form>
    </Panel>
  )
}

interface PublishProps {
  readonly protocol: TryProtocol
  readonly isOpen: boolean
  readonly onPublish: (address: string, body: string) => void
}

function Publish({ protocol, isOpen, onPublish }: PublishProps) {
  const [address, setAddress] = useState(protocol.address)
  const [body, setBody] = useState('Hello from the console')
  const form = useRef<HTMLFormElement>(null)
  // Ctrl-Enter sends, as in every chat.
  useEffect(() => {
    const element = form.current
    const listener = (event: KeyboardEvent): void => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) element?.requestSubmit()
    }
    element?.addEventListener('keydown', listener)
    return () => element?.removeEventListener('keydown', listener)
  }, [])
  return (
    <Panel title="Publish">
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isOpen) onPublish(address, body)
        }}
      >
        <div className="stack-tight">
          <TextInput
            label="Address to publish to"
            value={address}
            onChange={(event) => setAddress(event.currentTarget.value)}
            classNames={{ input: 'mono' }}
            required
          />
          <Textarea
            label="Body"
            value={body}
            onChange={(event) => setBody(event.currentTarget.value)}
            minRows={3}
            maxRows={12}
            autosize
            classNames={{ input: 'mono' }}
          />
          <Group justify="flex-end">
            <span className="dim small">Ctrl Enter</span>
            <Button type="submit" size="sm" disabled={!isOpen}>
              Publish
            </Button>
          </Group>
        </div>
      </form>
    </Panel>
  )
}
