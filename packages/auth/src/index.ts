/** Users, logins and access rules. */
export { type AccessRules, type GroupsOf, type Pause, RuleAuthorizer } from './acl.ts'
export { fairnessKey } from './hash-queue.ts'
export { Authenticator, type AuthenticatorOptions, type ListenerAccess, type LoginCounters } from './authenticator.ts'
export type { CertificateField } from './certificate.ts'
export { AuthError, type AuthErrorCode } from './errors.ts'
export { ADDRESS_FACTOR, type LockOut, type LockOutSettings, LoginGuard } from './login-guard.ts'
export {
  costProblem,
  DEFAULT_SCRYPT_COST,
  needsRehash,
  parsePasswordVerifier,
  passwordProblem,
  type ScryptCost,
} from './password.ts'
export { type AccessRule, checkPermissions, type Permission, RULE_ACTIONS, type RuleAction } from './rules.ts'
export { ScramClient, type ScramClientOptions } from './scram-client.ts'
export { DEFAULT_SCRAM_ITERATIONS, SCRAM_SHA_256 } from './scram-verifier.ts'
export {
  checkTokenRecord,
  makeToken,
  type NewToken,
  type Scope,
  SCOPES,
  SCOPES_OF_ROLE,
  TokenBook,
  type TokenCheck,
  type TokenRecord,
} from './tokens.ts'
export { covers, overlaps, parseTopicPattern } from './topic-pattern.ts'
export type { Explanation, LookedAt } from './explain.ts'
export { FileUserStore } from './user-file.ts'
export {
  changesGroups,
  groupsProblem,
  makeUser,
  MemoryUserStore,
  type NewUser,
  type Role,
  ROLES,
  type UserAccess,
  type UserChange,
  userNameProblem,
  type UserRecord,
  type UserStore,
  withAccess,
} from './users.ts'
