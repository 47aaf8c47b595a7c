/** Which keys there are. */
import { Dialog } from '../../components/dialog.tsx'
import { useMe } from '../../lib/session.tsx'
import { placesFor } from '../../navigation.ts'

export function KeysHelp({ onClose }: { readonly onClose: () => void }) {
  const { scopes } = useMe()
  const places = placesFor(scopes).flatMap((group) => group.places)
  const keys: ReadonlyArray<readonly [string, string]> = [
    ['/', 'To the filter of the page'],
    ['Ctrl K', 'Find a page, queue or connection'],
    ['?', 'This help'],
    ['Esc', 'Closes what is open'],
    ...places.flatMap(({ letter, label }): Array<readonly [string, string]> =>
      letter === undefined ? [] : [[`g ${letter}`, label]],
    ),
  ]
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((part) => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
