/** A dialog. Its head is not a <header>: that would be a second banner of the page to a screen reader. */
import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useReturnFocus } from '../lib/return-focus.ts'

interface DialogProps {
  readonly title: string
  readonly size?: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Is there while it is open. */
export function Dialog({ title, size = 'md', onClose, children }: DialogProps) {
  useReturnFocus()
  return (
    <Modal.Root opened onClose={onClose} size={size}>
      <Modal.Overlay backgroundOpacity={0.4} />
      <Modal.Content>
        <div className="dialog-head">
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
