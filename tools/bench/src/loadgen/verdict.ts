/** How we stand in one case: beside the best peer of the same run, and beside what we want. */
import type { Case } from './cases.ts'
import type { Summary } from './results.ts'

export type Standing = 'aim met' | 'goal met' | 'missed' | 'not judged'

export interface Verdict {
  readonly best: Summary | undefined
  readonly ours: Summary | undefined
  /** Ours through the best peer's, in words of the case. '' when there is nothing to compare. */
  readonly ratio: string
  readonly standing: Standing
  /** What to say of it where it is not good; '' otherwise. */
  readonly shortfall: string
}

/** The latency goal names one peer. */
const LATENCY_PEER = 'mosquitto'
/** A share below this is one message in a hundred thousand or less. */
const NOTHING = 1e-5

export function judge(one: Case, ours: Summary | undefined, peers: readonly Summary[]): Verdict {
  const able = peers.filter((peer) => isSound(peer) && one.equals?.includes(peer.target) !== false)
  switch (one.measure) {
    case 'rate':
      return judgeRate(
        one,
        ours,
        best(able, ({ messagesPerSecond }) => messagesPerSecond),
      )
    case 'latency':
      return judgeLatency(
        one,
        ours,
        able.find(({ target }) => target === LATENCY_PEER),
      )
    case 'connections':
      return judgeConnections(
        one,
        ours,
        best(able, ({ bytesPerConnection }) => -(bytesPerConnection ?? Infinity)),
      )
    case 'backlog':
      return judgeBacklog(one, ours, able)
    case 'flood':
      return judgeFlood(
        ours,
        best(able, ({ messagesPerSecond }) => messagesPerSecond),
      )
  }
}

/** It ran, and lost nothing: a peer that drops is no measure of speed. */
function isSound({ failures, rounds, lost }: Summary): boolean {
  return failures.length < rounds && lost < NOTHING
}

function best(peers: readonly Summary[], by: (peer: Summary) => number | undefined): Summary | undefined {
  return peers.toSorted((first, second) => (by(second) ?? -Infinity) - (by(first) ?? -Infinity))[0]
}

function judgeRate({ goal, perSecond }: Case, ours: Summary | undefined, peer: Summary | undefined): Verdict {
  const mine = ours?.messagesPerSecond
  const theirs = peer?.messagesPerSecond
  if (ours === undefined || mine === undefined) return failed(ours, peer)
  const ratio = theirs === undefined ? undefined : mine / theirs
  if (ratio === undefined && perSecond === undefined) return unjudged(ours, peer)
  const reaches = (times: number, count: number): boolean => (ratio ?? Infinity) >= times && mine >= count
  const standing = reaches(goal.aim[0], perSecond?.aim ?? 0)
    ? 'aim met'
    : reaches(goal.least[0], perSecond?.least ?? 0)
      ? 'goal met'
      : 'missed'
  const text = ratio === undefined ? '' : `${ratio.toFixed(2)} × ${peer!.target}`
  const defects = defectsOf(ours)
  const isSlow = ratio !== undefined && ratio < goal.least[0]
  const short = isSlow ? `${text}; the goal is at least ${goal.least[0]} ×` : ''
  const isFew = perSecond !== undefined && mine < perSecond.least
  const few = isFew ? `${Math.round(mine)}/s; the goal is at least ${perSecond.least}/s` : ''
  return {
    best: peer,
    ours,
    ratio: text,
    standing: defects === '' ? standing : 'missed',
    shortfall: [short, few, defects].filter((part) => part !== '').join('; '),
  }
}

function judgeLatency({ goal }: Case, ours: Summary | undefined, peer: Summary | undefined): Verdict {
  if (ours?.p50Us === undefined || ours.p99Us === undefined) return failed(ours, peer)
  if (peer?.p50Us === undefined || peer.p99Us === undefined) return unjudged(ours, peer)
  const p50 = ours.p50Us / peer.p50Us
  const p99 = ours.p99Us / peer.p99Us
  const isWithin = ([first, second = 1]: readonly [number, number?]): boolean => p50 <= first && p99 <= second
  const standing = isWithin(goal.aim) ? 'aim met' : isWithin(goal.least) ? 'goal met' : 'missed'
  const ratio = `p50 ${p50.toFixed(2)} ×, p99 ${p99.toFixed(2)} × ${peer.target}`
  const wanted = `at most ${goal.least[0]} × and ${goal.least[1] ?? 1} ×`
  return {
    best: peer,
    ours,
    ratio,
    standing,
    shortfall: standing === 'missed' ? `${ratio}; the goal is ${wanted}` : '',
  }
}

function judgeConnections({ goal }: Case, ours: Summary | undefined, peer: Summary | undefined): Verdict {
  const { bytesPerConnection, connectsPerSecond } = ours ?? {}
  if (ours === undefined || bytesPerConnection === undefined || connectsPerSecond === undefined)
    return failed(ours, peer)
  const kib = bytesPerConnection / 1024
  const isWithin = ([first, second = 0]: readonly [number, number?]): boolean =>
    kib <= first && connectsPerSecond >= second
  const standing = isWithin(goal.aim) ? 'aim met' : isWithin(goal.least) ? 'goal met' : 'missed'
  const theirs = peer?.bytesPerConnection
  const ratio =
    theirs === undefined ? '' : `${(bytesPerConnection / theirs).toFixed(1)} × the memory of ${peer!.target}`
  const text = `${kib.toFixed(1)} KiB each, ${Math.round(connectsPerSecond)} connects/s`
  const wanted = `at most ${goal.least[0]} KiB and at least ${goal.least[1]} connects/s`
  return { best: peer, ours, ratio, standing, shortfall: standing === 'missed' ? `${text}; the goal is ${wanted}` : '' }
}

/** Pushing and draining each beside the peer that is best at it; memory counts. */
function judgeBacklog(one: Case, ours: Summary | undefined, peers: readonly Summary[]): Verdict {
  const pusher = best(peers, ({ pushedPerSecond }) => pushedPerSecond)
  const drainer = best(peers, ({ messagesPerSecond }) => messagesPerSecond)
  if (ours?.messagesPerSecond === undefined || ours.pushedPerSecond === undefined) return failed(ours, drainer)
  if (pusher?.pushedPerSecond === undefined || drainer?.messagesPerSecond === undefined) return unjudged(ours, drainer)
  const push = ours.pushedPerSecond / pusher.pushedPerSecond
  const drain = ours.messagesPerSecond / drainer.messagesPerSecond
  const isWithin = ([first, second = first]: readonly [number, number?]): boolean => push >= first && drain >= second
  const text = `push ${push.toFixed(2)} × ${pusher.target}, drain ${drain.toFixed(2)} × ${drainer.target}`
  const [least, leastDrain = least] = one.goal.least
  const slow = isWithin(one.goal.least) ? '' : `${text}; the goal is at least ${least} × and ${leastDrain} ×`
  const shortfall = [slow, memoryDefect(one, ours), defectsOf(ours)].filter((part) => part !== '').join('; ')
  const standing = shortfall !== '' ? 'missed' : isWithin(one.goal.aim) ? 'aim met' : 'goal met'
  return { best: drainer, ours, ratio: text, standing, shortfall }
}

function memoryDefect({ rssMiBMax = Infinity }: Case, { rssMiB = 0 }: Summary): string {
  return rssMiB <= rssMiBMax ? '' : `${Math.round(rssMiB)} MiB; the goal is at most ${rssMiBMax} MiB`
}

/** Nothing lost, nothing left, no order broken; the rate is told, not judged. */
function judgeFlood(ours: Summary | undefined, peer: Summary | undefined): Verdict {
  if (ours?.messagesPerSecond === undefined) return failed(ours, peer)
  const theirs = peer?.messagesPerSecond
  const ratio = theirs === undefined ? '' : `${(ours.messagesPerSecond / theirs).toFixed(2)} × ${peer!.target}`
  const defects = defectsOf(ours)
  return { best: peer, ours, ratio, standing: defects === '' ? 'goal met' : 'missed', shortfall: defects }
}

function defectsOf({ lost, undelivered, duplicates, outOfOrder, failures, rounds }: Summary): string {
  return [
    lost >= NOTHING ? `${(lost * 100).toFixed(1)} % lost` : '',
    undelivered >= NOTHING ? `${(undelivered * 100).toFixed(1)} % not delivered in time` : '',
    duplicates > 0 ? `${duplicates} duplicates` : '',
    outOfOrder > 0 ? `${outOfOrder} out of order` : '',
    failures.length > 0 ? `${failures.length} of ${rounds} runs failed: ${failures[0]}` : '',
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function failed(ours: Summary | undefined, peer: Summary | undefined): Verdict {
  const shortfall = ours === undefined ? '' : `every run failed: ${ours.failures[0] ?? 'no result'}`
  return { best: peer, ours, ratio: '', standing: ours === undefined ? 'not judged' : 'missed', shortfall }
}

function unjudged(ours: Summary, peer: Summary | undefined): Verdict {
  return { best: peer, ours, ratio: '', standing: 'not judged', shortfall: '' }
}
