/** Where the keyboard was before something opened over the page. */
import { useEffect, useState } from 'react'

/** Of what is there only while it is open: the focus goes back when it goes. */
export function useReturnFocus(): void {
  const [before] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    },
    [before],
  )
}

/**
 * What has the focus may go, as a row with its button does, or be disabled while it works; browsers then begin anew at the top of everything. The
 * focus comes back to what can be used again, and goes to the page's own part when it is gone.
 */
export function useFocusKeeper(): void {
  useEffect(() => {
    let last: EventTarget | null = null
    const note = ({ target }: FocusEvent): void => void (last = target)
    const observer = new MutationObserver((records) => {
      if (document.activeElement !== document.body || !(last instanceof HTMLElement)) return
      if (!last.isConnected) document.getElementById('main')?.focus({ preventScroll: true })
      else if (records.some(({ target }) => target === last)) last.focus({ preventScroll: true })
    })
    document.addEventListener('focusin', note)
    observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] })
    return () => {
      document.removeEventListener('focusin', note)
      observer.disconnect()
    }
  }, [])
}
