/** Text as it is, with a button that copies it. */
import { ActionIcon, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { Icon } from './icons.tsx'

interface CodeBlockProps {
  readonly text: string
  /** What it is, for who cannot see it. */
  readonly label: string
  readonly maxHeight?: number
}

export function CodeBlock({ text, label, maxHeight = 320 }: CodeBlockProps) {
  return (
    <div className="code-block">
      <pre tabIndex={0} role="region" aria-label={label} style={{ maxHeight }}>
        {text}
      </pre>
      <div className="code-block-copy">
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
    </div>
  )
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const { copy, copied } = useClipboard({ timeout: 1_500 })
  return (
    <Tooltip label={copied ? 'Copied' : label}>
      <ActionIcon aria-label={label} onClick={() => copy(text)} size="sm">
        <Icon name={copied ? 'check' : 'copy'} size={14} />
      </ActionIcon>
    </Tooltip>
  )
}
