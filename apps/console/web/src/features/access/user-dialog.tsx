/** Adds a user, or changes password, role and groups of one. */
import { PasswordInput, Select, TagsInput, TextInput } from '@mantine/core'
import { putUser, type Role, type UserBody, type UserItem } from '@ternmq/api'
import { useState } from 'react'
import { FormDialog } from '../../components/form-dialog.tsx'
import { fieldError } from '../../lib/api.ts'
import { formatMany } from '../../lib/format.ts'

const NO_ROLE = 'none'
const ROLES: ReadonlyArray<{ readonly value: Role | typeof NO_ROLE; readonly label: string }> = [
  { value: NO_ROLE, label: 'none: sends and receives only' },
  { value: 'viewer', label: 'viewer: looks at everything' },
  { value: 'operator', label: 'operator: looks, and works on queues and connections' },
  { value: 'administrator', label: 'administrator: everything' },
]

/** A new password does not end tokens: whoever sets one because others know the old one must hear of them. */
function saySaved({ name, tokenCount = 0 }: UserItem, hasNewPassword: boolean): string {
  if (!hasNewPassword || tokenCount === 0) return `${name} is saved.`
  const stay = tokenCount === 1 ? 'stays good: take it back' : 'stay good: take them back'
  return `${name} is saved. ${formatMany(tokenCount, 'token')} of ${name} ${stay} under Tokens if others may have ${tokenCount === 1 ? 'it' : 'them'}.`
}

function describePassword({ tokenCount = 0 }: UserItem): string {
  const tokens =
    tokenCount === 0 ? '' : ` A new one ends logins to the console, and none of ${formatMany(tokenCount, 'token')}.`
  return `Empty: it stays as it is.${tokens}`
}

export function UserDialog({ user, onClose }: { readonly user: UserItem | undefined; readonly onClose: () => void }) {
  const [name, setName] = useState(user?.name ?? '')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role | undefined>(user?.role)
  const [groups, setGroups] = useState<readonly string[]>(user?.groups ?? [])
  const body: UserBody = { role: role ?? null, groups, ...(password === '' ? {} : { password }) }
  const input =
    name === '' ? undefined : { params: { name }, body, ...(user === undefined ? { query: { ifNew: true } } : {}) }
  return (
    <FormDialog
      title={user === undefined ? 'Add a user' : `Change ${user.name}`}
      route={putUser}
      input={input}
      submit={user === undefined ? 'Add user' : 'Save'}
      withoutCurl={password !== ''}
      onClose={onClose}
      says={(saved) => saySaved(saved, user !== undefined && password !== '')}
    >
      {(problem) => (
        <>
          {user === undefined && (
            <TextInput
              label="Name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={fieldError(problem, 'name')}
              required
              data-autofocus
              autoComplete="off"
            />
          )}
          <PasswordInput
            label="Password"
            description={user === undefined ? 'Empty: the user comes with a certificate.' : describePassword(user)}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={fieldError(problem, 'password')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': 'Show password' }}
          />
          <Select
            label="Role in the console"
            data={[...ROLES]}
            value={role ?? NO_ROLE}
            onChange={(value) => setRole(value === null || value === NO_ROLE ? undefined : value)}
            allowDeselect={false}
            error={fieldError(problem, 'role')}
          />
          <TagsInput
            label="Groups"
            description="Permissions can be given to groups."
            value={[...groups]}
            onChange={setGroups}
            error={fieldError(problem, 'groups')}
          />
        </>
      )}
    </FormDialog>
  )
}
