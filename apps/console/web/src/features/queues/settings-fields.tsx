/** Fields for the settings of a queue or of a policy: an empty one leaves the setting to what is below. */
import { Checkbox, NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import type { Problem, QueueSettingsInput } from '@ternmq/api'
import type { ReactNode } from 'react'
import { fieldError } from '../../lib/api.ts'
import { QUEUE_SETTINGS, type QueueSetting, settingAt, withSetting } from './queue-settings.ts'

interface SettingsFieldsProps {
  readonly settings: QueueSettingsInput
  readonly onChange: (settings: QueueSettingsInput) => void
  readonly problem: Problem | undefined
  /** Where they are in the body: `settings`. */
  readonly prefix: string
  /** What holds when a field is empty. */
  readonly below?: (key: string) => string | undefined
}

export function SettingsFields({ settings, onChange, problem, prefix, below }: SettingsFieldsProps) {
  return (
    <div className="fields">
      {QUEUE_SETTINGS.map((setting) => (
        <SettingField
          key={setting.key}
          setting={setting}
          value={settingAt(settings, setting.key)}
          onChange={(value) => onChange(withSetting(settings, setting.key, value))}
          error={fieldError(problem, `${prefix}.${setting.key}`)}
          below={below?.(setting.key)}
        />
      ))}
    </div>
  )
}

interface SettingFieldProps {
  readonly setting: QueueSetting
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly error: string | undefined
  readonly below: string | undefined
}

function SettingField({ setting, value, onChange, error, below }: SettingFieldProps): ReactNode {
  const common = {
    label: setting.label,
    description: setting.about,
    error,
    placeholder: below ?? 'as policies and defaults say',
  }
  switch (setting.kind) {
    case 'switch':
      return (
        <Choice
          {...common}
          options={['true', 'false']}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(text) => onChange(text === null ? undefined : text === 'true')}
        />
      )
    case 'choice':
      return (
        <Choice
          {...common}
          options={setting.options ?? []}
          value={(value as string | undefined) ?? null}
          onChange={(text) => onChange(text ?? undefined)}
        />
      )
    case 'list':
      return (
        <TagsInput
          {...common}
          value={(value as string[] | undefined) ?? []}
          onChange={(list) => onChange(list.length === 0 ? undefined : list)}
        />
      )
    case 'text':
      return (
        <div>
          <TextInput
            {...common}
            value={(value as string | undefined) ?? ''}
            disabled={value === ''}
            onChange={(event) => onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
          />
          {setting.none !== undefined && (
            <Checkbox
              mt={6}
              label={setting.none}
              aria-label={`${setting.label}: ${setting.none}`}
              checked={value === ''}
              onChange={(event) => onChange(event.currentTarget.checked ? '' : undefined)}
            />
          )}
        </div>
      )
    case 'count':
    case 'number':
      return (
        <NumberInput
          {...common}
          value={(value as number | undefined) ?? ''}
          onChange={(given) => onChange(typeof given === 'number' ? given : undefined)}
          allowDecimal={setting.kind === 'number'}
          allowNegative={false}
          thousandSeparator=","
          hideControls
        />
      )
  }
}

interface ChoiceProps {
  readonly label: string
  readonly description: string
  readonly error: string | undefined
  readonly placeholder: string
  readonly options: readonly string[]
  readonly value: string | null
  readonly onChange: (value: string | null) => void
}

function Choice({ label, options, ...rest }: ChoiceProps) {
  return (
    <Select
      label={label}
      data={[...options]}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${label.toLowerCase()}` }}
      {...rest}
    />
  )
}
