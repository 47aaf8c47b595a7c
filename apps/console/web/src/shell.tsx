/** What is around every page: navigation, what is wrong, who is logged in, and the keyboard. */
import {
  ActionIcon,
  Button,
  Group,
  Loader,
  Menu,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { getOverview, logout } from '@ternmq/api'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useMatches } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { ConnectionBar } from './components/connection-bar.tsx'
import { EmptyState } from './components/empty-state.tsx'
import { Icon, TernMark } from './components/icons.tsx'
import { Page } from './components/page.tsx'
import { ProblemView } from './components/problem-view.tsx'
import { BrokerAddress, VersionNote } from './components/whereabouts.tsx'
import { LoginPage } from './features/login/login-page.tsx'
import { call, setCsrfToken, toProblem } from './lib/api.ts'
import { formatMany } from './lib/format.ts'
import { useKeys } from './lib/keys.ts'
import { SESSION_KEY, useLook } from './lib/query.ts'
import { useFocusKeeper } from './lib/return-focus.ts'
import { loadScript } from './lib/scripts.ts'
import { SessionProvider, useMay, useMe, useSessionQuery } from './lib/session.tsx'
import { needsOf, placesFor } from './navigation.ts'

const loadPalette = async () => {
  const { Palette: component } = await loadScript(() => import('./features/palette/palette.tsx'))
  return { default: component }
}
const Palette = lazy(loadPalette)
const KeysHelp = lazy(async () => {
  const { KeysHelp: component } = await loadScript(() => import('./features/palette/keys-help.tsx'))
  return { default: component }
})

const ALARMS_MS = 10_000

export function Root() {
  const { me, error } = useSessionQuery()
  const client = useQueryClient()
  if (me === undefined) {
    return (
      <main className="alone">
        {error === null ? (
          <Loader aria-label="Loading" />
        ) : (
          <ProblemView
            problem={toProblem(error)}
            onRetry={() => void client.invalidateQueries({ queryKey: SESSION_KEY })}
          />
        )}
      </main>
    )
  }
  if (me === null) return <LoginPage />
  return (
    <SessionProvider me={me}>
      <Shell />
    </SessionProvider>
  )
}

function Shell() {
  const [open, setOpen] = useState<'palette' | 'keys' | undefined>(undefined)
  const [isNavOpen, setNavOpen] = useState(false)
  const [wanted, setWanted] = useState('')
  useFocusKeeper()
  useKeys({
    onPalette: () => openPalette(),
    onHelp: () => setOpen('keys'),
    onLetter: open === 'palette' ? (letter) => setWanted((before) => before + letter) : undefined,
  })
  const openPalette = (): void => {
    setWanted('')
    setOpen('palette')
  }
  const close = (): void => setOpen(undefined)
  // Who presses Ctrl-K types on at once: the palette should be there by then.
  useEffect(() => void loadPalette(), [])
  return (
    <div className="shell" data-nav={isNavOpen || undefined}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="shell-head">
        <ActionIcon
          className="nav-button"
          aria-label="Navigation"
          aria-expanded={isNavOpen}
          onClick={() => setNavOpen(!isNavOpen)}
        >
          <Icon name="menu" />
        </ActionIcon>
        <Link to="/" className="brand">
          <TernMark />
          <span>TernMQ</span>
        </Link>
        <BrokerAddress />
        <Button
          className="palette-button"
          variant="default"
          leftSection={<Icon name="search" size={14} />}
          rightSection={<kbd>Ctrl K</kbd>}
          onClick={openPalette}
        >
          Go to or find
        </Button>
        <Group gap="xs" ml="auto" wrap="nowrap">
          <Alarms />
          <Tooltip label="Keyboard (?)">
            <ActionIcon aria-label="Keyboard shortcuts" onClick={() => setOpen('keys')}>
              <b>?</b>
            </ActionIcon>
          </Tooltip>
          <SchemeSwitch />
          <UserMenu />
        </Group>
      </header>
      <nav className="shell-nav" aria-label="Pages" onClick={() => setNavOpen(false)}>
        <Navigation />
      </nav>
      <main className="shell-main" id="main" tabIndex={-1}>
        <div className="broker-line">
          <BrokerAddress />
        </div>
        <ConnectionBar />
        <VersionNote />
        <Suspense fallback={<Loader className="page-loader" aria-label="Loading" />}>
          <Guard />
        </Suspense>
      </main>
      <Suspense fallback={null}>
        {open === 'palette' && <Palette text={wanted} onText={setWanted} onClose={close} />}
        {open === 'keys' && <KeysHelp onClose={close} />}
      </Suspense>
    </div>
  )
}

/** Who comes to a page that is not for him by its address is told so, and sees no button of it. */
function Guard() {
  const { scopes } = useMe()
  const last: { readonly fullPath: string } | undefined = useMatches().at(-1)
  const needs = needsOf(last?.fullPath ?? '/')
  if (needs === 'user' || scopes.includes(needs)) return <Outlet />
  return (
    <Page title="Not for you">
      <EmptyState icon="shield" title={`This page needs the scope ${needs}`}>
        You may {scopes.length === 0 ? 'do nothing here' : scopes.join(', ')}. An administrator can give you another
        role. <Link to="/try">Try it</Link> is open to everybody.
      </EmptyState>
    </Page>
  )
}

function Navigation() {
  const { scopes } = useMe()
  return placesFor(scopes).map((group) => (
    <div key={group.label} className="nav-group">
      <div className="nav-label" id={`nav-${group.label}`}>
        {group.label}
      </div>
      <ul aria-labelledby={`nav-${group.label}`}>
        {group.places.map((place) => (
          <li key={place.to}>
            <Link to={place.to} className="nav-link" activeOptions={{ exact: place.to === '/', includeSearch: false }}>
              <Icon name={place.icon} />
              {place.label}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  ))
}

function Alarms() {
  const mayRead = useMay('read')
  const { data } = useLook(getOverview, {}, { everyMs: ALARMS_MS, enabled: mayRead })
  const count = data?.alarms.length ?? 0
  if (count === 0) return null
  return (
    <Link
      to="/"
      className="alarm-link"
      data-critical={data?.alarms.some(({ severity }) => severity === 'critical') || undefined}
    >
      <Icon name="dead" size={14} />
      {formatMany(count, 'alarm')}
    </Link>
  )
}

function SchemeSwitch() {
  // To still transitions it would write a <style> into the page, which `style-src 'self'` forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const computed = useComputedColorScheme('light')
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label="Colours">
          <Icon name={computed === 'dark' ? 'moon' : 'sun'} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['auto', 'light', 'dark'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            rightSection={scheme === colorScheme ? <Icon name="check" size={14} /> : null}
          >
            {{ auto: 'As the system', light: 'Light', dark: 'Dark' }[scheme]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function UserMenu() {
  const me = useMe()
  const client = useQueryClient()
  const leave = async (): Promise<void> => {
    // The page is left whatever the answer: without the cookie nothing can be looked up anyway.
    await call(logout).catch(() => undefined)
    setCsrfToken(undefined)
    client.setQueryData(SESSION_KEY, null)
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] })
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" leftSection={<Icon name="sessions" size={14} />}>
          {me.user}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.role ?? 'without a role'}</Menu.Label>
        <Text size="xs" c="dimmed" px="sm" pb="xs">
          May {me.scopes.join(', ')}
        </Text>
        <Menu.Item onClick={() => void leave()}>Log out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
