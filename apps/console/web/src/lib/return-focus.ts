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
