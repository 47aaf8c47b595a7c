/** Makes or changes a permission. */
import { Alert, Checkbox, Group, Input, SegmentedControl, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import {
  type AccessAction,
  type PermissionBody,
  listPermissions,
  type PermissionItem,
  putPermission,
} from '@ternmq/api'
import { useState } from 'react'
import { FormDialog } from '../../components/form-dialog.tsx'
import { fieldError } from '../../lib/api.ts'
import { useLook } from '../../lib/query.ts'

const ACTIONS: ReadonlyArray<readonly [action: AccessAction, meaning: string]> = [
  ['read', 'subscribe and consume'],
  ['write', 'publish'],
  ['browse', 'look into queues'],
  ['admin', 'make and delete queues'],
]

export function PermissionDialog({
  permission,
  onClose,
}: {
  readonly permission: PermissionItem | undefined
  readonly onClose: () => void
}) {
  const [id, setId] = useState(permission?.id ?? '')
  const [who, setWho] = useState(permission?.group ?? permission?.user ?? '')
  const [isGroup, setGroup] = useState(permission?.group !== undefined)
  const [allow, setAllow] = useState<readonly AccessAction[]>(permission?.allow ?? [])
  const [deny, setDeny] = useState<readonly AccessAction[]>(permission?.deny ?? [])
  const [topics, setTopics] = useState<readonly string[]>(permission?.topics ?? [])
  const [description, setDescription] = useState(permission?.description ?? '')
  const [isMeant, setMeant] = useState(false)
  const { data: others } = useLook(listPermissions)
  const isFirst = permission === undefined && others?.defaultAccess === 'deny' && others.items.length === 0
  const body: PermissionBody = {
    ...(isGroup ? { group: who } : { user: who }),
    allow,
    deny,
    topics,
    ...(description === '' ? {} : { description }),
  }
  const isReady =
    id !== '' && who !== '' && topics.length > 0 && allow.length + deny.length > 0 && (!isFirst || isMeant)
  const query = isFirst ? ({ everybody: 'limited' } as const) : {}
  return (
    <FormDialog
      title={permission === undefined ? 'Add a permission' : `Change ${permission.id}`}
      size="lg"
      route={putPermission}
      input={isReady ? { params: { id }, query, body } : undefined}
      submit="Save"
      onClose={onClose}
      says={(saved) => `${saved.id} counts from now on.`}
    >
      {(problem) => (
        <>
          {isFirst && <FirstOne isMeant={isMeant} onMeant={setMeant} />}
          {permission === undefined && (
            <TextInput
              label="Name of the permission"
              description="Short, such as devices."
              value={id}
              onChange={(event) => setId(event.currentTarget.value)}
              error={fieldError(problem, 'id')}
              required
              data-autofocus
            />
          )}
          <Group align="flex-start" gap="sm">
            <Input.Wrapper label="For a" labelElement="div">
              <SegmentedControl
                size="sm"
                display="flex"
                aria-label="For a user or a group"
                value={isGroup ? 'group' : 'user'}
                onChange={(value) => setGroup(value === 'group')}
                data={[
                  { value: 'user', label: 'User' },
                  { value: 'group', label: 'Group' },
                ]}
              />
            </Input.Wrapper>
            <TextInput
              style={{ flex: 1 }}
              label={isGroup ? 'Group' : 'User'}
              description={isGroup ? undefined : '* for everyone, anonymous for who has not logged in'}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              value={who}
              onChange={(event) => setWho(event.currentTarget.value)}
              error={fieldError(problem, isGroup ? 'group' : 'user')}
              required
            />
          </Group>
          <Actions legend="May" chosen={allow} onChange={setAllow} error={fieldError(problem, 'allow')} />
          <Actions
            legend="May not (wins over may)"
            chosen={deny}
            onChange={setDeny}
            error={fieldError(problem, 'deny')}
          />
          <TagsInput
            label="Of these destinations"
            description="Topic filters as in MQTT: site/+/state. Queues: $queue/orders.> with * and >. %u is the user name, %c the client id. Enter after each."
            value={[...topics]}
            onChange={setTopics}
            error={fieldError(problem, 'topics')}
            required
          />
          <TextInput
            label="Why"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            error={fieldError(problem, 'description')}
          />
        </>
      )}
    </FormDialog>
  )
}

/** The first permission changes what holds for everybody. */
function FirstOne({ isMeant, onMeant }: { readonly isMeant: boolean; readonly onMeant: (isMeant: boolean) => void }) {
  return (
    <Alert color="yellow" variant="light" className="problem notice" title="This is the first permission">
      Until now everybody may do everything. From now on, what no permission allows is denied, to those who are
      connected too.
      <Checkbox
        mt="xs"
        label="Yes, deny what no permission allows"
        checked={isMeant}
        onChange={(event) => onMeant(event.currentTarget.checked)}
      />
    </Alert>
  )
}

interface ActionsProps {
  readonly legend: string
  readonly chosen: readonly AccessAction[]
  readonly onChange: (actions: readonly AccessAction[]) => void
  readonly error: string | undefined
}

function Actions({ legend, chosen, onChange, error }: ActionsProps) {
  return (
    <Checkbox.Group
      label={legend}
      value={[...chosen]}
      onChange={(values) => onChange(ACTIONS.map(([action]) => action).filter((action) => values.includes(action)))}
      error={error}
    >
      <Stack gap={4} mt={4}>
        {ACTIONS.map(([action, meaning]) => (
          <Checkbox
            key={action}
            value={action}
            label={
              <>
                {action}{' '}
                <Text span size="xs" c="dimmed">
                  {meaning}
                </Text>
              </>
            }
          />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}
