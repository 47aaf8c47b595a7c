/** Tabs of a page; the one that is open stands in the address. */
import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { useUrlState } from '../lib/url-state.ts'

export interface Tab {
  readonly key: string
  readonly label: ReactNode
  readonly content: () => ReactNode
}

/** The first one is open when the address names none. What belongs to the tab before, such as its filter, goes. */
export function UrlTabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }) {
  const url = useUrlState()
  const open = tabs.find(({ key }) => key === url.get('tab')) ?? tabs[0]!
  const change = (key: string | null): void => {
    const cleared = Object.fromEntries(Object.keys(url.all).map((each) => [each, '']))
    url.set({ ...cleared, tab: key === null || key === tabs[0]!.key ? '' : key })
  }
  return (
    <Tabs value={open.key} onChange={change} keepMounted={false} className="tabs">
      <Tabs.List aria-label={label}>
        {tabs.map(({ key, label: name }) => (
          <Tabs.Tab key={key} value={key}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={open.key} className="tab-panel">
        {open.content()}
      </Tabs.Panel>
    </Tabs>
  )
}
