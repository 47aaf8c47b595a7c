/** Schemas of logins, users, permissions, tokens, and questions about them. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import { type ListQuery, PAGE_LIMIT_MAX, type VhostParams } from '../page.ts'
import {
  type AccessAction,
  type AccessTurn,
  type AuditItem,
  type AuditQuery,
  can,
  type CanAnswer,
  type CanQuery,
  createToken,
  deletePermission,
  deleteToken,
  deleteUser,
  getMe,
  listAudit,
  listPermissions,
  listTokens,
  listUsers,
  login,
  type LoginBody,
  logout,
  type Me,
  type PermissionBody,
  type PermissionItem,
  putPermission,
  putUser,
  resolveAddress,
  type ResolveAnswer,
  type ResolveQuery,
  type Role,
  type TokenBody,
  type TokenItem,
  type TurnQuery,
  type UserBody,
  type UserItem,
} from '../resources/access.ts'
import type { Scope } from '../route.ts'
import {
  ADDRESS_CHARS_MAX,
  choice,
  component,
  count,
  flag,
  list,
  listOf,
  listQuery,
  moment,
  name,
  NAME_CHARS_MAX,
  page,
  schemasFor,
  type SchemaEntry,
  search,
  secret,
  type Shape,
  text,
  timeQuery,
  TEXT_CHARS_MAX,
  vhost,
  whole,
} from './fields.ts'

export const role: z.ZodType<Role> = choice(
  ['viewer', 'operator', 'administrator'],
  'What a user may do in the console: look; look and operate; everything.',
)
const scope: z.ZodType<Scope> = choice(['read', 'operate', 'admin', 'messages'], 'What a caller may do.')
const action: z.ZodType<AccessAction> = choice(['read', 'write', 'browse', 'admin'], 'What is done to a destination.')
const by = ['cookie', 'token', 'password', 'socket'] as const

export const groups: z.ZodType<readonly string[]> = listOf(name('Group.', 'devices'), 'Groups that a user is in.')

const me = component(
  'Me',
  typed<Me>()(
    z.strictObject({
      user: text('User.', 'ann'),
      role: role.optional(),
      scopes: list(scope, 'What this caller may do.'),
      by: choice(by, 'How the call was made known.'),
      csrfToken: text('Of a cookie: goes with every write as `x-csrf-token`.', 'Zm9yZ2VyeSBpcyBoYXJk').optional(),
      expiresAtMs: moment('When the login ends in any case.', 1_795_838_400_000).optional(),
    }),
  ),
)

const loginBody = typed<LoginBody>()(
  z.strictObject({ user: name('User.', 'ann'), password: secret('Password.', 'correct horse battery staple') }),
)

const user = component(
  'User',
  typed<UserItem>()(
    z.strictObject({
      name: text('Name.', 'ann'),
      role: role.optional(),
      groups: list(text('Group.', 'devices'), 'Groups that the user is in.'),
      password: flag('Whether the user may log in with a password; else with a certificate only.'),
      scram: flag('Whether the user may log in with SCRAM.'),
      createdAtMs: moment('When the user was made.', 1_790_000_000_000),
      changedAtMs: moment('When the password was changed last.', 1_790_000_000_000),
      connectionCount: count('Connections of the user.', 2),
      tokenCount: count('Tokens of the user that are good; a new password does not end them.', 1).optional(),
    }),
  ),
)

const userBody = component(
  'UserChange',
  typed<UserBody>()(
    z.strictObject({
      password: secret('New password.', 'correct horse battery staple')
        .nullable()
        .meta({
          description: 'New password; `null`: none. Left out: as it is.',
          examples: ['correct horse battery staple'],
        })
        .optional(),
      role: role
        .nullable()
        .meta({ description: '`null`: none. Left out: as it is.', examples: ['viewer'] })
        .optional(),
      groups: groups.optional(),
    }),
  ),
)

export const permissionBodyFields: Shape<PermissionBody> = {
  description: text('What it is for.', 'devices publish their state', TEXT_CHARS_MAX).optional(),
  user: name('A name, `anonymous`, or `*` for everyone; one of `user` and `group`.', 'device').optional(),
  group: name('A group; one of `user` and `group`.', 'devices').optional(),
  allow: listOf(action, 'What is allowed.', 4).optional(),
  deny: listOf(action, 'What is denied, whatever is allowed elsewhere.', 4).optional(),
  topics: listOf(
    name('MQTT topic filter, or `$queue/NAME`; `%u` is the user, `%c` the client id.', 'plant/%u/#', ADDRESS_CHARS_MAX),
    'Where it holds.',
  ),
}

export const turn: z.ZodType<AccessTurn> = choice(
  ['limited', 'unlimited'],
  'What holds for everybody from this change on, where it makes the first permission, takes the last one away, or has the configuration do as much; else it may be left out.',
)
const turnQuery = typed<TurnQuery>()(z.strictObject({ everybody: turn.optional() }))

/** A permission is for a user or for a group: an example cannot have both. */
const PERMISSION_EXAMPLE = { group: 'devices', allow: ['write'], topics: ['plant/%u/#'] }

const permission = component(
  'Permission',
  typed<PermissionItem>()(
    z.strictObject({
      id: text('Id; those of the configuration are called by their place.', 'devices-publish'),
      description: text('What it is for.', 'devices publish their state').optional(),
      user: text('A name, `anonymous`, or `*` for everyone.', 'device').optional(),
      group: text('A group.', 'devices').optional(),
      allow: list(action, 'What is allowed.'),
      deny: list(action, 'What is denied.'),
      topics: list(text('MQTT topic filter, or `$queue/NAME`.', 'plant/%u/#'), 'Where it holds.'),
      from: choice(['config', 'api'], 'Those of the configuration are changed there.', 'api'),
    }),
  ),
)

const tokenFields: Shape<TokenItem> = {
  id: text('Id.', '5b0c0f6e-3b1c-4a53-9d5c-3a1f6f0f7a51'),
  name: text('What its owner calls it.', 'deployment'),
  user: text('Whom it stands for.', 'ann'),
  scopes: list(scope, 'What it may do.'),
  createdAtMs: moment('When it was made.', 1_795_000_000_000),
  expiresAtMs: moment('When it ends; left out: never.', 1_827_331_200_000).optional(),
  lastUsedAtMs: moment('When it was used last, since the start.').optional(),
}

const token = component('Token', typed<TokenItem>()(z.strictObject(tokenFields)))

const madeToken = component(
  'MadeToken',
  typed<TokenItem & { readonly token: string }>()(
    z.strictObject({
      ...tokenFields,
      token: text('The token, told this once.', 'tmq_0pWv8Zk1hS5dVd0mS2r6hC1o3T9xG7uYwQe4aLbNfKj'),
    }),
  ),
)

const tokenBody = component(
  'NewToken',
  typed<TokenBody>()(
    z.strictObject({
      name: name('What to call it.', 'deployment'),
      user: name('Whom it stands for; the caller when left out.', 'ann').optional(),
      scopes: z
        .array(scope)
        .min(1)
        .max(4)
        .readonly()
        .meta({ description: 'What it may do.', examples: [['read']] }),
      expiresAtMs: moment('When it ends; never when left out.', 1_827_331_200_000).optional(),
    }),
  ),
)

const canAnswer = component(
  'CanAnswer',
  typed<CanAnswer>()(
    z.strictObject({
      allowed: flag('Whether the user may.'),
      rule: text('The rule that decided.', 'permission \'devices-publish\' allows write on "plant/device/#"'),
      address: text('What was asked about, in core form.', 'plant/device/state'),
      others: list(
        z.strictObject({
          rule: text('Rule.', 'auth.rules[0]'),
          because: text('Why it did not decide.', 'it is for group "people"'),
        }),
        'Rules that were looked at besides.',
      ),
      notes: list(text('Note.', "there is no user 'device'"), 'What whoever asks should know.'),
    }),
  ),
)

const canQuery = typed<CanQuery>()(
  z.strictObject({
    user: name('User; `anonymous` for a client without a login.', 'device'),
    action: choice(['publish', 'subscribe', 'browse', 'admin'], 'What is to be done.'),
    address: name('What it is to be done to.', 'plant/device/state', ADDRESS_CHARS_MAX),
    clientId: text('Client id, for rules with `%c`.', 'sensor-7', ADDRESS_CHARS_MAX).optional(),
    protocol: text('How the address is written; `rest` when left out.', 'mqtt', NAME_CHARS_MAX).optional(),
    profile: text('How the protocol is read.', 'activemq', NAME_CHARS_MAX).optional(),
  }),
)

const resolveQuery = typed<ResolveQuery>()(
  z.strictObject({
    address: name('Address as a client writes it.', '/queue/orders', ADDRESS_CHARS_MAX),
    protocol: name('How it is written.', 'stomp'),
    profile: text('How the protocol is read.', 'activemq', NAME_CHARS_MAX).optional(),
    purpose: choice(['send', 'receive'], 'What it is used for.').optional(),
    kind: choice(['queue', 'topic', 'temp-queue', 'temp-topic'], 'What the client says beside it.').optional(),
  }),
)

const resolveAnswer = component(
  'ResolveAnswer',
  typed<ResolveAnswer>()(
    z.strictObject({
      ok: flag('Whether it can be used.'),
      address: text('In core form; left out where it is refused.', '$queue/orders').optional(),
      kind: text('What it is.', 'queue').optional(),
      means: text('In words; where it is refused, why.', "queue 'orders'"),
      rule: text('Name of the rule that says so.', 'stomp-queue'),
      ruleText: text('The rule in words.', '/queue/NAME is the queue NAME'),
      exists: flag('Whether it is there.').optional(),
      spellings: list(
        z.strictObject({
          protocol: text('Protocol.', 'amqp'),
          text: text('As it is written there; left out where it cannot be.', 'queue://orders').optional(),
        }),
        'The same thing as others write it.',
      ),
      notes: list(text('Note.', 'it will be made when it is used'), 'What whoever asks should know.'),
    }),
  ),
)

const OUTCOMES = ['done', 'refused', 'failed'] as const

const auditItem = component(
  'AuditItem',
  typed<AuditItem>()(
    z.strictObject({
      id: count('Ascending.', 97),
      atMs: moment('When it was.'),
      user: text('Who did it.', 'ann'),
      action: text('Call that was made.', 'queues.purge'),
      target: text('What it was done to.', 'orders'),
      outcome: choice(OUTCOMES, 'How it ended.'),
      detail: text('What was changed, or why not.', 'purged 12 messages'),
      address: text('Address of the caller; empty over the socket.', '192.0.2.20'),
      by: choice([...by, 'none'], 'How the caller was known.'),
    }),
  ),
)

const auditQuery = typed<AuditQuery>()(
  z.strictObject({
    limit: z
      .int()
      .min(1)
      .max(PAGE_LIMIT_MAX)
      .meta({ description: 'Entries at most; 100 when left out.', examples: [50] })
      .optional(),
    before: count('Only older ones than this id.', 97).optional(),
    ...timeQuery(),
    user: text('Only of this user.', 'ann', TEXT_CHARS_MAX).optional(),
    action: text('Only this call.', 'queues.purge', TEXT_CHARS_MAX).optional(),
    outcome: choice(OUTCOMES, 'Only those ended so.').optional(),
    q: search(),
  }),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const userParams = z.strictObject({ name: name('Name of the user.', 'ann') })
const idParams = z.strictObject({ id: name('Id.', 'devices-publish') })
const ofUser = text('Only of this user.', 'ann', TEXT_CHARS_MAX).optional()
const ofGroup = text('Only of this group.', 'devices', TEXT_CHARS_MAX).optional()

export const accessSchemas: readonly SchemaEntry[] = [
  schemasFor(login, { body: loginBody, answer: me }),
  schemasFor(logout, {}),
  schemasFor(getMe, { answer: me }),
  schemasFor(listUsers, {
    query: typed<ListQuery & { readonly group?: string | undefined }>()(
      z.strictObject({ ...listQuery('name'), group: ofGroup }),
    ),
    answer: page(user),
  }),
  schemasFor(putUser, {
    params: userParams,
    query: z.strictObject({
      ifNew: flag('Refuse when the user exists.').optional(),
      ifKnown: flag('Refuse when the user does not exist.', false).optional(),
    }),
    body: userBody,
    answer: user,
  }),
  schemasFor(deleteUser, { params: userParams }),
  schemasFor(listPermissions, {
    query: z.strictObject({ user: ofUser, group: ofGroup }),
    answer: z.strictObject({
      items: list(permission, 'All of them.'),
      defaultAccess: choice(['allow', 'deny'], 'What holds where no permission says anything.'),
    }),
  }),
  schemasFor(putPermission, {
    params: idParams,
    query: turnQuery,
    body: component(
      'PermissionChange',
      typed<PermissionBody>()(z.strictObject(permissionBodyFields)).meta({ examples: [PERMISSION_EXAMPLE] }),
    ),
    answer: permission,
  }),
  schemasFor(deletePermission, { params: idParams, query: turnQuery }),
  schemasFor(listTokens, { query: z.strictObject({ user: ofUser }), answer: whole(token) }),
  schemasFor(createToken, { body: tokenBody, answer: madeToken }),
  schemasFor(deleteToken, { params: idParams }),
  schemasFor(can, { params: vhostParams, query: canQuery, answer: canAnswer }),
  schemasFor(resolveAddress, { params: vhostParams, query: resolveQuery, answer: resolveAnswer }),
  schemasFor(listAudit, { query: auditQuery, answer: whole(auditItem) }),
]
