/** Who may do what: logins to the API, users, permissions, tokens, and questions about them. */
import type { ListQuery, Page, TimeQuery, VhostParams } from '../page.ts'
import type { None, Route, Scope } from '../route.ts'

export type Role = 'viewer' | 'operator' | 'administrator'
export type AccessAction = 'read' | 'write' | 'browse' | 'admin'

export interface Me {
  readonly user: string
  readonly role?: Role | undefined
  readonly scopes: readonly Scope[]
  /** How the call was made known: with the cookie, a token, name and password, or over the socket in the data directory. */
  readonly by: 'cookie' | 'token' | 'password' | 'socket'
  /** Of a cookie: goes with every write as `x-csrf-token`. */
  readonly csrfToken?: string | undefined
  readonly expiresAtMs?: number | undefined
}

export interface LoginBody {
  readonly user: string
  readonly password: string
}

export interface UserItem {
  readonly name: string
  readonly role?: Role | undefined
  readonly groups: readonly string[]
  /** May log in with a password; else with a certificate only. */
  readonly password: boolean
  readonly scram: boolean
  readonly createdAtMs: number
  readonly changedAtMs: number
  readonly connectionCount: number
  /** Those that are good: a new password does not end them. Left out where no broker runs that knows. */
  readonly tokenCount?: number | undefined
}

/** Left out: as it is; of a new user, none. */
export interface UserBody {
  /** null: none, the user comes with a certificate. */
  readonly password?: string | null | undefined
  readonly role?: Role | null | undefined
  readonly groups?: readonly string[] | undefined
}

export interface PermissionItem {
  readonly id: string
  readonly description?: string | undefined
  /** A name, `anonymous`, or `*` for everyone; one of `user` and `group`. */
  readonly user?: string | undefined
  readonly group?: string | undefined
  readonly allow: readonly AccessAction[]
  readonly deny: readonly AccessAction[]
  /** MQTT topic filters, and `$queue/NAME` with `*` and `>`; `%u` and `%c` stand for user name and client id. */
  readonly topics: readonly string[]
  /** Those of the configuration are changed there. */
  readonly from: 'config' | 'api'
}

export type PermissionBody = Omit<PermissionItem, 'id' | 'from' | 'allow' | 'deny'> & {
  readonly allow?: readonly AccessAction[] | undefined
  readonly deny?: readonly AccessAction[] | undefined
}

/**
 * What holds for everybody from a change on, where that is another thing than before: `limited`, with the first permission, what none
 * allows is denied; `unlimited`, without the last one, everybody may do everything.
 */
export type AccessTurn = 'limited' | 'unlimited'

/** Who makes such a change says which: without it, it is refused as TURNS_ACCESS. For any other it may be left out, and changes nothing. */
export interface TurnQuery {
  readonly everybody?: AccessTurn | undefined
}

export interface TokenItem {
  readonly id: string
  readonly name: string
  readonly user: string
  readonly scopes: readonly Scope[]
  readonly createdAtMs: number
  readonly expiresAtMs?: number | undefined
  readonly lastUsedAtMs?: number | undefined
}

export interface TokenBody {
  readonly name: string
  /** The caller when left out. */
  readonly user?: string | undefined
  readonly scopes: readonly Scope[]
  readonly expiresAtMs?: number | undefined
}

export interface CanQuery {
  /** `anonymous` for a client without a login. */
  readonly user: string
  readonly action: 'publish' | 'subscribe' | 'browse' | 'admin'
  readonly address: string
  readonly clientId?: string | undefined
  /** How `address` is written: `rest` when left out. */
  readonly protocol?: string | undefined
  readonly profile?: string | undefined
}

export interface CanAnswer {
  readonly allowed: boolean
  /** The rule that decided, in the words of the configuration. */
  readonly rule: string
  /** What was asked about, in core form. */
  readonly address: string
  /** Rules that were looked at besides, and why they did not decide. */
  readonly others: ReadonlyArray<{ readonly rule: string; readonly because: string }>
  /** What whoever asks should know: that there is no such user, or how the address was read. */
  readonly notes: readonly string[]
}

export interface ResolveQuery {
  readonly address: string
  readonly protocol: string
  readonly profile?: string | undefined
  readonly purpose?: 'send' | 'receive' | undefined
  /** What the client says beside the address. */
  readonly kind?: 'queue' | 'topic' | 'temp-queue' | 'temp-topic' | undefined
}

export interface ResolveAnswer {
  readonly ok: boolean
  /** In core form; left out where it is refused, or is no one name. */
  readonly address?: string | undefined
  readonly kind?: string | undefined
  /** In words: "queue 'orders'"; where it is refused, why. */
  readonly means: string
  readonly rule: string
  readonly ruleText: string
  readonly exists?: boolean | undefined
  /** The same thing as others write it. */
  readonly spellings: ReadonlyArray<{ readonly protocol: string; readonly text?: string | undefined }>
  readonly notes: readonly string[]
}

export interface AuditItem {
  readonly id: number
  readonly atMs: number
  readonly user: string
  /** 'queues.purge', 'login'. */
  readonly action: string
  /** What it was done to. */
  readonly target: string
  readonly outcome: 'done' | 'refused' | 'failed'
  /** What was changed, or why not; never a secret. */
  readonly detail: string
  readonly address: string
  readonly by: Me['by'] | 'none'
}

export interface AuditQuery extends TimeQuery {
  readonly limit?: number | undefined
  readonly before?: number | undefined
  readonly user?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: AuditItem['outcome'] | undefined
  readonly q?: string | undefined
}

export const login: Route<{ params: None; query: None; body: LoginBody; answer: Me }> = {
  id: 'session.login',
  method: 'POST',
  path: '/session',
  tag: 'access',
  needs: 'nobody',
  summary: 'Logs a browser in; the answer sets the cookie.',
}

export const logout: Route<{ params: None; query: None; body: None; answer: None }> = {
  id: 'session.logout',
  method: 'DELETE',
  path: '/session',
  tag: 'access',
  needs: 'user',
  summary: 'Logs the browser out.',
  status: 204,
}

export const getMe: Route<{ params: None; query: None; body: None; answer: Me }> = {
  id: 'session.me',
  method: 'GET',
  path: '/session',
  tag: 'access',
  needs: 'user',
  summary: 'Who makes this call, and what for.',
}

export const listUsers: Route<{ params: None; query: ListQuery & { readonly group?: string | undefined }; body: None; answer: Page<UserItem> }> = {
  id: 'users.list',
  method: 'GET',
  path: '/users',
  tag: 'access',
  needs: 'admin',
  summary: 'Who may log in.',
}

/** One of them at most. */
export interface PutUserQuery {
  /** One who exists is refused. */
  readonly ifNew?: boolean | undefined
  /** One who does not exist is refused. */
  readonly ifKnown?: boolean | undefined
}

export const putUser: Route<{ params: { readonly name: string }; query: PutUserQuery; body: UserBody; answer: UserItem }> = {
  id: 'users.put',
  method: 'PUT',
  path: '/users/{name}',
  tag: 'access',
  needs: 'admin',
  summary: 'Adds a user, or changes password, role or groups; they count at once. With `ifNew` only the one, with `ifKnown` only the other.',
}

export const deleteUser: Route<{ params: { readonly name: string }; query: None; body: None; answer: None }> = {
  id: 'users.delete',
  method: 'DELETE',
  path: '/users/{name}',
  tag: 'access',
  needs: 'admin',
  summary: 'Removes a user with connections, sessions and tokens.',
  status: 204,
}

export const listPermissions: Route<{ params: None; query: { readonly user?: string | undefined; readonly group?: string | undefined }; body: None; answer: { readonly items: readonly PermissionItem[]; readonly defaultAccess: 'allow' | 'deny' } }> = {
  id: 'permissions.list',
  method: 'GET',
  path: '/permissions',
  tag: 'access',
  needs: 'admin',
  summary: 'Who may read, write, browse and administer which destinations.',
}

export const putPermission: Route<{ params: { readonly id: string }; query: TurnQuery; body: PermissionBody; answer: PermissionItem }> = {
  id: 'permissions.put',
  method: 'PUT',
  path: '/permissions/{id}',
  tag: 'access',
  needs: 'admin',
  summary: 'Makes or changes a permission; it counts at once, for those who are connected too. The first one needs `everybody=limited`.',
}

export const deletePermission: Route<{ params: { readonly id: string }; query: TurnQuery; body: None; answer: None }> = {
  id: 'permissions.delete',
  method: 'DELETE',
  path: '/permissions/{id}',
  tag: 'access',
  needs: 'admin',
  summary: 'Takes a permission back. The last one needs `everybody=unlimited`.',
  status: 204,
}

export const listTokens: Route<{ params: None; query: { readonly user?: string | undefined }; body: None; answer: { readonly items: readonly TokenItem[] } }> = {
  id: 'tokens.list',
  method: 'GET',
  path: '/tokens',
  tag: 'access',
  needs: 'user',
  summary: "Tokens of the caller; an administrator sees everybody's.",
}

export const createToken: Route<{ params: None; query: None; body: TokenBody; answer: TokenItem & { readonly token: string } }> = {
  id: 'tokens.create',
  method: 'POST',
  path: '/tokens',
  tag: 'access',
  needs: 'user',
  summary: 'Makes a token, which is told this once. It can do no more than who makes it.',
  status: 201,
}

export const deleteToken: Route<{ params: { readonly id: string }; query: None; body: None; answer: None }> = {
  id: 'tokens.delete',
  method: 'DELETE',
  path: '/tokens/{id}',
  tag: 'access',
  needs: 'user',
  summary: 'Takes a token back at once.',
  status: 204,
}

export const can: Route<{ params: VhostParams; query: CanQuery; body: None; answer: CanAnswer }> = {
  id: 'access.can',
  method: 'GET',
  path: '/vhosts/{vhost}/can',
  tag: 'access',
  needs: 'admin',
  summary: 'Whether a user may do something with an address, and which rule says so.',
}

export const resolveAddress: Route<{ params: VhostParams; query: ResolveQuery; body: None; answer: ResolveAnswer }> = {
  id: 'addresses.resolve',
  method: 'GET',
  path: '/vhosts/{vhost}/resolve',
  tag: 'topics',
  needs: 'read',
  summary: 'What an address means in a protocol, how others write it, and whether it exists.',
}

export const listAudit: Route<{ params: None; query: AuditQuery; body: None; answer: { readonly items: readonly AuditItem[] } }> = {
  id: 'audit.list',
  method: 'GET',
  path: '/audit',
  tag: 'access',
  needs: 'admin',
  summary: 'Logins, refusals and every change that was made, the newest first.',
}
