/** Logins and access rules. What rules mean is decided in packages/auth. */
import { z } from 'zod'
import { isAccessPattern, RULES_MAX, TOPICS_PER_RULE_MAX } from './access-pattern.ts'
import { typed } from '../typed.ts'
import type { AuthConfig } from '../types.ts'

const actions = z
  .array(z.enum(['read', 'write', 'browse', 'admin']))
  .max(4)
  .readonly()
  .default([])

const accessRule = z
  .strictObject({
    user: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: 'User name; `anonymous` for clients without one; `*` for everyone.' }),
    group: z.string().min(1).max(256).optional().meta({ description: 'Group of users, in the place of `user`.' }),
    allow: actions,
    deny: actions,
    topics: z
      .array(
        z.string().refine(isAccessPattern).meta({
          allowed:
            'an MQTT topic filter, + and # alone in their level, # only as the last, % only as %u, %c or %%; of queues, $queue/NAME with * and >',
        }),
      )
      .min(1)
      .max(TOPICS_PER_RULE_MAX)
      .readonly(),
  })
  .refine(
    ({ user, group, allow, deny }) => (user === undefined) !== (group === undefined) && allow.length + deny.length > 0,
  )
  .meta({ allowed: 'a rule with user or group, topics, and allow or deny or both' })

const lockOut = z
  .strictObject({
    attempts: z
      .int()
      .min(0)
      .max(10_000)
      .default(5)
      .meta({
        description:
          'Failed logins of one user name from one address before that user has to wait at that address. Ten times as many from one ' +
          'address, whatever the names, and the address has to wait, but for users who have logged in from it before; on a loopback address ' +
          'nobody waits for others, one login a second is tried there. 0: nobody waits.',
        reload: 'connection',
      }),
    windowSeconds: z.int().min(1).max(86_400).default(300).meta({
      description: 'Failed logins are counted for this many seconds.',
      reload: 'connection',
    }),
    waitSeconds: z.int().min(1).max(86_400).default(30).meta({
      description: 'First wait. Each failed login after it makes the next wait twice as long.',
      reload: 'connection',
    }),
    waitMaxSeconds: z.int().min(1).max(86_400).default(900).meta({
      description: 'Longest wait.',
      reload: 'connection',
    }),
  })
  .prefault({})
  .meta({ description: 'Slows down who guesses passwords, over whatever protocol. Not for client certificates.' })

const schema = z
  .strictObject({
    scram: z
      .boolean()
      .default(true)
      .meta({
        description:
          'Whether clients may log in with SCRAM-SHA-256. Users set while this is false get no SCRAM verifier and need ' +
          'their password set again before they can use it.',
        reload: 'connection',
      }),
    hashConcurrency: z.int().min(1).max(16).default(1).meta({
      description: 'Passwords hashed at once. Hashing takes tens of ms of one core and shares threads with the disk.',
      reload: 'start',
    }),
    hashQueueMax: z.int().min(1).max(100_000).default(128).meta({
      description: 'Logins waiting for their password to be hashed. Beyond it a login is refused as "busy, try again".',
      reload: 'start',
    }),
    lockOut,
    defaultAccess: z.enum(['allow', 'deny']).default('deny').meta({
      description: 'Answer where no rule reaches, once there are rules. Without any rule everything is allowed.',
      reload: 'live',
    }),
    rules: z
      .array(accessRule)
      .max(RULES_MAX)
      .readonly()
      .default([])
      .meta({
        description:
          'Who may do what with which topics and queues. Each rule has `user` (a name, `anonymous`, or `*` for everyone) or `group`, ' +
          '`topics` (MQTT topic filters; or queues: `$queue/` and a name, in which `*` is one level between ' +
          'dots and `>` at the end all below; `%u` is the user name, `%c` the client id, `%%` a percent sign), ' +
          'and `allow` or `deny` with some of `read` (subscribe, consume, look), `write` (publish), `browse` (look only) and `admin` ' +
          '(create, delete, purge, change). A matching `deny` wins over any `allow`. What a new version of the rules takes from a client ' +
          'that is connected ends at once.',
        reload: 'live',
      }),
  })
  .prefault({})
  .meta({ description: 'Logins and access rules. Users are kept in the data directory: `ternmq users add NAME`.' })

export const authSchema: z.ZodType<AuthConfig> = typed<AuthConfig>()(schema)
