/** The tree of topics, retained messages, and what is to be sent later. */
import type { ListQuery, Page, VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'
import type { MessageBody, MessageItem } from './messages.ts'

export interface TopicNode {
  /** The level. */
  readonly name: string
  /** The whole topic. */
  readonly topic: string
  readonly hasChildren: boolean
  /** Subscriptions whose filter is just this; patterns are not counted. */
  readonly subscriptionCount: number
  readonly retained: boolean
}

export interface TopicQuery {
  /** Topic whose children are wanted; left out: the first levels. */
  readonly parent?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export interface RetainedItem {
  readonly topic: string
  readonly bytes: number
  readonly bodyBytes: number
  readonly publisher?: string | undefined
  readonly format: string
  /** When its topic got it, by the log; left out for what is in memory only. */
  readonly arrivedAtMs?: number | undefined
  readonly expiresAtMs?: number | undefined
}

export interface RetainedDetail extends RetainedItem {
  readonly message: Omit<MessageItem, 'id' | 'state'>
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
  readonly body: MessageBody
}

export interface RetainedQuery {
  /** Topic filter as in MQTT: `sensors/+/state`; `#` when left out. */
  readonly filter?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export interface ScheduleItem {
  readonly id: string
  readonly address: string
  /** Who scheduled it, and is asked about when it is due; '' for one of a broker that did not keep that. */
  readonly user: string
  readonly nextAtMs: number
  /** '' when there is none. */
  readonly cron: string
  /** 0: it is sent once. */
  readonly periodMs: number
  /** How often yet; null: without end. */
  readonly left: number | null
  readonly durable: boolean
}

export const listTopics: Route<{ params: VhostParams; query: TopicQuery; body: None; answer: Page<TopicNode> }> = {
  id: 'topics.list',
  method: 'GET',
  path: '/vhosts/{vhost}/topics',
  tag: 'topics',
  needs: 'read',
  summary: 'The tree of topics that have subscriptions or a retained message, one level at a time.',
}

export const listRetained: Route<{ params: VhostParams; query: RetainedQuery; body: None; answer: Page<RetainedItem> }> = {
  id: 'retained.list',
  method: 'GET',
  path: '/vhosts/{vhost}/retained',
  tag: 'topics',
  needs: 'read',
  summary: 'Retained messages.',
}

export const getRetained: Route<{ params: VhostParams & { readonly topic: string }; query: None; body: None; answer: RetainedDetail }> = {
  id: 'retained.get',
  method: 'GET',
  path: '/vhosts/{vhost}/retained/{topic}',
  tag: 'topics',
  needs: 'read',
  summary: 'The retained message of a topic.',
}

export const deleteRetained: Route<{ params: VhostParams & { readonly topic: string }; query: None; body: None; answer: None }> = {
  id: 'retained.delete',
  method: 'DELETE',
  path: '/vhosts/{vhost}/retained/{topic}',
  tag: 'topics',
  needs: 'operate',
  summary: 'Forgets the retained message of a topic.',
  status: 204,
}

export const listSchedules: Route<{ params: VhostParams; query: ListQuery; body: None; answer: Page<ScheduleItem> }> = {
  id: 'schedules.list',
  method: 'GET',
  path: '/vhosts/{vhost}/schedules',
  tag: 'schedules',
  needs: 'read',
  summary: 'Messages that are to be sent later, or again and again.',
}

export const cancelSchedule: Route<{ params: VhostParams & { readonly id: string }; query: None; body: None; answer: None }> = {
  id: 'schedules.cancel',
  method: 'DELETE',
  path: '/vhosts/{vhost}/schedules/{id}',
  tag: 'schedules',
  needs: 'operate',
  summary: 'Takes back a message that was to be sent later.',
  status: 204,
}
