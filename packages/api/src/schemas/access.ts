/** Schemas of logins, users, permissions, tokens, and questions about them. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import { getMe, login, type LoginBody, logout, type Me, type Role } from '../resources/access.ts'
import type { Scope } from '../route.ts'
import { choice, component, list, moment, name, schemasFor, type SchemaEntry, secret, text } from './fields.ts'

const role: z.ZodType<Role> = choice(
  ['viewer', 'operator', 'administrator'],
  'What a user may do in the console: look; look and operate; everything.',
)
const scope: z.ZodType<Scope> = choice(['read', 'operate', 'admin', 'messages'], 'What a caller may do.')

const me = component(
  'Me',
  typed<Me>()(
    z.strictObject({
      user: text('User.', 'ann'),
      role: role.optional(),
      scopes: list(scope, 'What this caller may do.'),
      by: choice(['cookie', 'token', 'password', 'socket'], 'How the call was made known.'),
      csrfToken: text('Of a cookie: goes with every write as `x-csrf-token`.', 'Zm9yZ2VyeSBpcyBoYXJk').optional(),
      expiresAtMs: moment('When the login ends in any case.', 1_795_838_400_000).optional(),
    }),
  ),
)

const loginBody = typed<LoginBody>()(
  z.strictObject({ user: name('User.', 'ann'), password: secret('Password.', 'correct horse battery staple') }),
)

export const accessSchemas: readonly SchemaEntry[] = [
  schemasFor(login, { body: loginBody, answer: me }),
  schemasFor(logout, {}),
  schemasFor(getMe, { answer: me }),
]
