/** The keyboard: `/` to the filter, `?` help, Ctrl-K the palette, `g` and a letter to a page. */
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useEffectEvent, useRef } from 'react'
import { placesFor } from '../navigation.ts'
import { useMe } from './session.tsx'

/** A letter that comes later belongs to something else. */
const LETTER_MS = 1_200

interface KeyHandlers {
  readonly onPalette: () => void
  readonly onHelp: () => void
  /** While the palette comes up it has no focus yet: it gets the letters from here. */
  readonly onLetter: ((letter: string) => void) | undefined
}

export function useKeys({ onPalette, onHelp, onLetter }: KeyHandlers): void {
  const navigate = useNavigate()
  const { scopes } = useMe()
  const goAtMs = useRef(-Infinity)
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      onPalette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (onLetter !== undefined) {
      if (event.key.length === 1) onLetter(event.key)
    } else if (event.timeStamp - goAtMs.current < LETTER_MS) {
      goAtMs.current = -Infinity
      const place = placesFor(scopes)
        .flatMap(({ places }) => places)
        .find(({ letter }) => letter === event.key)
      if (place === undefined) return
      event.preventDefault()
      void navigate({ to: place.to })
    } else if (event.key === 'g') goAtMs.current = event.timeStamp
    else if (event.key === '?') onHelp()
    else if (event.key === '/') {
      event.preventDefault()
      document.querySelector<HTMLInputElement>('#main [data-filter]')?.focus()
    }
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])
}

/** Letters belong to the field, and to the dialog, that has the focus. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="menu"]') !== null
  )
}
