/** The few icons there are, drawn on 16 by 16 with one stroke; never the only name of a thing. */

const PATHS = {
  overview: 'M2 9l3-4 3 5 3-7 3 6',
  queues: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  messages: 'M2 4h12v8H2zM2 4.5l6 4.5 6-4.5',
  topics: 'M3 3h4v3H3zM9 7h4v3H9zM9 11.500h4v3H9zM5 6v7h4M5 8.500h4',
  connections: 'M5 3v4a3 3 0 006 0V3M8 10v4M5 1.500v2M11 1.500v2',
  sessions: 'M8 8a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM3 14c.5-3 2.500-4 5-4s4.500 1 5 4',
  dead: 'M8 2l6.500 11.500h-13zM8 6.500v3M8 11.500v.5',
  clock: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 5v3.500l2 1.500',
  users:
    'M6 8a2.200 2.200 0 100-4.400A2.200 2.200 0 006 8zM1.500 13.500c.3-2.500 2-3.500 4.500-3.500s4.200 1 4.500 3.500M10.500 4a2 2 0 010 4M12 10.500c1.500.4 2.300 1.400 2.500 3',
  shield: 'M8 1.500l5 2v4c0 3.500-2.200 5.800-5 7-2.800-1.200-5-3.500-5-7v-4zM5.800 8l1.600 1.700 3-3.400',
  key: 'M5.500 11a3 3 0 110-6 3 3 0 010 6zM8.300 8H14v2.500M11.500 8v2',
  policy: 'M3 2h10v12H3zM5.500 5h5M5.500 8h5M5.500 11h3',
  listeners:
    'M8 9.500a1.500 1.500 0 100-3 1.500 1.500 0 000 3zM4.500 11.500a5 5 0 010-7M11.500 4.500a5 5 0 010 7M2.500 13.500a8 8 0 010-11M13.500 2.500a8 8 0 010 11',
  file: 'M4 1.500h5l3 3v10H4zM9 1.500v3h3M6.500 8h3.500M6.500 10.500h3.500',
  gear: 'M2 4.500h6M11 4.500h3M2 11.500h3M8 11.500h6M9.500 6a1.500 1.500 0 100-3 1.500 1.500 0 000 3zM6.500 13a1.500 1.500 0 100-3 1.500 1.500 0 000 3z',
  disk: 'M2.500 4c0-1.200 2.500-2 5.500-2s5.500.8 5.500 2v8c0 1.200-2.500 2-5.500 2s-5.500-.8-5.500-2zM2.500 4c0 1.200 2.500 2 5.500 2s5.500-.8 5.500-2M2.500 8c0 1.200 2.500 2 5.500 2s5.500-.8 5.500-2',
  audit: 'M3 2h7l3 3v9H3zM5.500 9l1.500 1.500L10 7.500',
  events: 'M9 1.500L3.500 9H8l-1 5.500L12.500 7H8z',
  play: 'M4.500 2.500l8 5.500-8 5.500z',
  api: 'M5.500 4L2 8l3.500 4M10.500 4L14 8l-3.500 4M9 2.500l-2 11',
  search: 'M7 12A5 5 0 107 2a5 5 0 000 10zM10.700 10.700L14 14',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.500 5.500V2h8.500v8.500h-3.500M2 5.500h8.500V14H2z',
  check: 'M3 8.500l3.500 3.500L13 4.500',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  right: 'M6 3.500L10.500 8 6 12.500',
  down: 'M3.500 6L8 10.500 12.500 6',
  up: 'M3.500 10L8 5.500l4.500 4.500',
  plus: 'M8 3v10M3 8h10',
  moon: 'M13 9.500A5.500 5.500 0 016.500 3 5.500 5.500 0 1013 9.500z',
  sun: 'M8 11a3 3 0 100-6 3 3 0 000 6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  menu: 'M2 4h12M2 8h12M2 12h12',
  refresh: 'M13.500 7a5.500 5.500 0 10-.8 4M13.500 3v4h-4',
  download: 'M8 2v8M4.500 7L8 10.500 11.500 7M3 13.500h10',
  terminal: 'M2 3h12v10H2zM4.500 6L7 8l-2.500 2M8.500 10.500h3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  const heavy = name === 'more'
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={heavy ? 2.2 : 1.35}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The mark of the house: a tern in flight. */
export function TernMark() {
  return (
    <svg className="tern-mark" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path
        className="tern-body"
        d="M3 11c6-1 9 0 12 4 2-5 6-9 14-10-4 3-7 6-9 11l7 2-9 1c-2 3-5 5-9 5 2-2 3-4 3-6-2-4-5-6-9-7z"
      />
      <path className="tern-beak" d="M27 18l4 1.200-5 .6z" />
    </svg>
  )
}
