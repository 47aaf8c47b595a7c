/**
 * Every page with the eyes of each role: there is no button that would be answered with 403, and the API gives 403 for all that a role may
 * not. A button that nobody has said anything about fails the test: say what it needs.
 */
import { actOnMessages, DEFAULT_VHOST, login, type Me, type Needs, pathOf, type Problem, type Role } from '@ternmq/api'
import { routes } from '@ternmq/api/schemas'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { useChromium } from './chromium.ts'
import { fill } from './clients.ts'
import { openPlant, PLANT_CLIENT, PLANT_QUEUE } from './plant.ts'
import { ADMIN, PASSWORD, Stage } from './stage.ts'

useChromium()

const SCOPES: Readonly<Record<Role, readonly Needs[]>> = {
  viewer: ['user', 'read'],
  operator: ['user', 'read', 'operate'],
  administrator: ['user', 'read', 'operate', 'admin', 'messages'],
}
const PEOPLE = { vera: 'viewer', olga: 'operator', [ADMIN]: 'administrator' } as const

interface Place {
  readonly needs: Needs
  /** Each with something that is there once it has its data. */
  readonly at: ReadonlyArray<readonly [address: string, sign: string | RegExp]>
  /** What does something, with what the API wants for it. */
  readonly buttons?: Readonly<Record<string, Needs>>
}

const QUEUE = `/queues/${PLANT_QUEUE}`

/** By the path of the route. */
const PLACES: Readonly<Record<string, Place>> = {
  '/': { needs: 'read', at: [['/', 'Since the start']] },
  '/listeners': { needs: 'read', at: [['/listeners', 'mqtt']] },
  '/events': { needs: 'read', at: [['/events', 'moved to another hall']] },
  '/queues': { needs: 'read', at: [['/queues', PLANT_QUEUE]], buttons: { 'Create queue': 'operate' } },
  '/queues/$queue': {
    needs: 'read',
    at: [
      [QUEUE, 'Dead letters go to'],
      [`${QUEUE}?tab=messages`, 'order-31'],
      ['/queues/orders.dead?tab=messages', 'The customer is not known.'],
      ['/queues/billing.invoices?tab=consumers', 'billing-worker'],
      [`${QUEUE}?tab=bindings`, 'No topic comes into it'],
      [`${QUEUE}?tab=settings`, 'messagesMax'],
      [`${QUEUE}?tab=danger`, /What cannot be undone|Dead letters go to/],
    ],
    buttons: {
      Publish: 'messages',
      'Pause|Resume': 'operate',
      '(?:Move|Copy|Delete|Retry)…': 'operate',
      'Change settings': 'operate',
      'Purge \\d+ messages': 'operate',
      'Delete queue': 'operate',
    },
  },
  '/consumers': { needs: 'read', at: [['/consumers', 'billing-worker']] },
  '/topics': {
    needs: 'read',
    at: [
      ['/topics', 'site'],
      ['/topics?tab=retained', 'site/2/temperature'],
      ['/topics?open=site/2/temperature', 'celsius'],
    ],
    buttons: { Publish: 'messages', 'Forget…': 'operate' },
  },
  '/dead-letters': {
    needs: 'read',
    at: [['/dead-letters', 'The customer is not known.']],
    buttons: { 'Retry all…': 'operate', '(?:Retry|Delete)…': 'operate' },
  },
  '/schedules': { needs: 'read', at: [['/schedules', 'emails']], buttons: { 'Take back .+': 'operate' } },
  '/operations': { needs: 'read', at: [['/operations', 'copy of stock']], buttons: { 'Stop|Resume': 'operate' } },
  '/connections': { needs: 'read', at: [['/connections', PLANT_CLIENT]] },
  '/connections/$id': {
    needs: 'read',
    at: [['/connections/ID', 'Keep alive']],
    buttons: { 'Close connection': 'operate' },
  },
  '/ended': { needs: 'read', at: [['/ended', 'moved to another hall']] },
  '/sessions': { needs: 'read', at: [['/sessions', 'tablet']] },
  '/sessions/$clientId': {
    needs: 'read',
    at: [
      ['/sessions/tablet', 'Stays without a connection'],
      ['/sessions/tablet?tab=messages', 'mqtt5'],
    ],
    buttons: { 'End session': 'operate' },
  },
  '/subscriptions': { needs: 'read', at: [['/subscriptions', 'site/#']] },
  '/users': {
    needs: 'admin',
    at: [['/users', 'olga']],
    buttons: { 'Add user': 'admin', '(?:Change|Remove) .+': 'admin' },
  },
  '/permissions': {
    needs: 'admin',
    at: [
      ['/permissions', 'no-secrets'],
      ['/permissions?tab=test&user=vera&action=subscribe&address=topic://site.1.secret', 'may not'],
    ],
    buttons: { 'Add permission': 'admin', '(?:Change|Take back) .+': 'admin', Ask: 'admin' },
  },
  '/tokens': {
    needs: 'user',
    at: [['/tokens', /monitoring|No token/]],
    buttons: { 'Make token': 'user', 'Take back .+': 'user' },
  },
  '/audit': { needs: 'admin', at: [['/audit', 'policies.put']] },
  '/policies': {
    needs: 'read',
    at: [['/policies', 'orders.>']],
    buttons: { 'Add policy': 'admin', '(?:Change|Take back) .+': 'admin' },
  },
  '/definitions': {
    needs: 'admin',
    at: [
      ['/definitions', '1 policy'],
      ['/definitions?tab=apply', 'The document'],
    ],
    buttons: { Download: 'admin', Plan: 'admin', 'Open a file': 'admin' },
  },
  '/config': { needs: 'read', at: [['/config?q=lockOut', 'auth.lockOut.attempts']], buttons: { 'Change .+': 'admin' } },
  '/store': { needs: 'read', at: [['/store', 'Engine']] },
  '/try': {
    needs: 'user',
    at: [['/try', 'WebSocket address']],
    // At a listener, where the permissions of the user decide.
    buttons: { Connect: 'user', Subscribe: 'user', Publish: 'user' },
  },
  '/resolve': {
    needs: 'read',
    at: [['/resolve?address=/queue/orders.new&protocol=stomp', 'understood']],
    buttons: { Explain: 'read' },
  },
  '/reference': { needs: 'user', at: [['/reference?open=queues.put', 'Makes a queue']] },
}

/** Only look, wherever they are. */
const HARMLESS =
  /^(?:First page|Back|Next page|Older|Refresh|Show all|Clear|Clear .+|Copy .+|Close the message|Show password|More)$/

/** Of what does more than sort, unfold and open. */
function buttonsOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(
    `[...document.querySelectorAll('main button:not([role], .sort, .link, [aria-expanded])')]
      .map((button) => button.getAttribute('aria-label') ?? button.textContent.trim())`,
  )
}

/** Addresses of the console as its script has them. */
function routePaths(): string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'web', 'src', 'pages.ts'), 'utf8')
  return [...text.matchAll(/^ {2}'(\/.*?)': async/gm)].map(([, path]) => path!)
}

test('no page is left out', () => {
  expect(routePaths().sort()).toEqual(Object.keys(PLACES).sort())
})

test('each role sees the buttons that it may use, and no other', async () => {
  const stage = await openPlant()
  // It takes longer than the test.
  await fill(stage, 'stock', 600)
  await stage.call(actOnMessages, {
    params: { queue: 'stock' },
    body: { action: 'copy', all: true, target: 'billing.reminders', perSecond: 1 },
  })
  const walk = async ([user, role]: readonly [string, Role]): Promise<void> => {
    const page = await stage.look('/connections', { as: user })
    const link = page.getByRole('link', { name: PLANT_CLIENT })
    await link.waitFor()
    const connection = (await link.getAttribute('href'))!
    for (const [path, { needs, at, buttons }] of Object.entries(PLACES)) {
      if (buttons === undefined && role === 'administrator') continue // who may do everything
      const seen = new Set<string>()
      for (const [address, sign] of at) {
        await page.goto(address.replace('/connections/ID', connection))
        const isOpen = SCOPES[role].includes(needs)
        await page
          .locator('main')
          .getByText(isOpen ? sign : `This page needs the scope ${needs}`)
          .first()
          .waitFor()
        for (const name of await buttonsOf(page)) if (!HARMLESS.test(name)) seen.add(name)
      }
      const known = Object.entries(buttons ?? {}).map(([text, scope]) => ({
        text,
        pattern: new RegExp(`^(?:${text})$`),
        scope,
      }))
      const wrong = [...seen].filter(
        (name) => !known.some(({ pattern, scope }) => pattern.test(name) && SCOPES[role].includes(scope)),
      )
      expect(wrong, `${role} at ${path}`).toEqual([])
      const missing = known.filter(
        ({ pattern, scope }) => SCOPES[role].includes(scope) && ![...seen].some((name) => pattern.test(name)),
      )
      const isSomebodyElses = path === '/tokens' && role !== 'administrator'
      expect(isSomebodyElses ? [] : missing.map(({ text }) => text), `${role} at ${path}`).toEqual([])
    }
  }
  await Promise.all(Object.entries(PEOPLE).map(walk))
}, 600_000)

test('the API gives 403 for every call that a role may not make', async () => {
  const stage = await Stage.open()
  await stage.addUser('olga', 'operator')
  await stage.addUser('vera', 'viewer')
  const params = { vhost: DEFAULT_VHOST, queue: 'q', id: 'i', name: 'n', clientId: 'c', topic: 't' }
  for (const [user, role] of Object.entries(PEOPLE)) {
    const forbidden = routes.filter(({ needs }) => needs !== 'nobody' && !SCOPES[role].includes(needs))
    expect(forbidden.length > 0).toBe(role !== 'administrator')
    const { request } = await stage.context()
    const answer = await request.post(pathOf(login), { data: { user, password: PASSWORD } })
    const { csrfToken } = (await answer.json()) as Me
    for (const route of forbidden) {
      const refused = await request.fetch(pathOf(route, params), {
        method: route.method,
        headers: { origin: stage.url, 'x-csrf-token': csrfToken! },
        ...(route.method === 'GET' || route.method === 'DELETE' ? {} : { data: {} }),
      })
      expect([refused.status(), ((await refused.json()) as Problem).code], `${role}: ${route.id}`).toEqual([
        403,
        'NOT_ALLOWED',
      ])
    }
  }
})
