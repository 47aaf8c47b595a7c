/**
 * Which consumer has which message group (JMSXGroupID): all messages of a group go to its owner, so that they are handled in order, until
 * the owner leaves or the group is closed (JMSXGroupSeq -1). Who becomes the owner is the queue's choice; the table knows how many groups
 * each consumer has.
 *
 * A group has a place of its own while there is room. Beyond that, groups share: an id is hashed to one of SHARED_PLACES, whose owner gets
 * all groups that fall there. A shared place stays with its owner until that one leaves, because nobody knows which groups fell there; for
 * the same reason it also gets new groups that fall there once there is room again. So a group has one owner at a time, always.
 */

/** Groups beyond the limit share so many places: enough to spread them over any number of consumers that a queue has. */
export const SHARED_PLACES = 1_024

/** Groups with a place of their own; beyond it a new group shares one. */
export const GROUPS_MAX_DEFAULT = 65_536
/** Memory of those groups, see GROUP_BYTES: ids may be long. Beyond it a new group shares a place, too. */
export const GROUP_BYTES_MAX: number = 16 * 1024 * 1024
/** Memory of one group beside the characters of its id, which count two bytes each: places in the map and in its owner's set. */
export const GROUP_BYTES = 96

/** What one consumer has. */
interface Holding<C> {
  readonly consumer: C
  readonly groupIds: Set<string>
  readonly sharedPlaces: Set<number>
}

export class GroupTable<C extends object> {
  readonly #groupBytesMax: number
  #groupsMax: number
  readonly #owners = new Map<string, Holding<C>>()
  /** Made when the first group has no place of its own. */
  #sharedOwners: (Holding<C> | undefined)[] | undefined = undefined
  readonly #holdings = new Map<C, Holding<C>>()
  #groupBytes = 0

  constructor(groupsMax: number = GROUPS_MAX_DEFAULT, groupBytesMax: number = GROUP_BYTES_MAX) {
    this.#groupsMax = groupsMax
    this.#groupBytesMax = groupBytesMax
  }

  /** Another limit from now on. Groups that have a place of their own keep it until they end. */
  use(groupsMax: number): void {
    this.#groupsMax = groupsMax
  }

  /** Groups with a place of their own. */
  get groupCount(): number {
    return this.#owners.size
  }

  get groupBytes(): number {
    return this.#groupBytes
  }

  /** Consumers that have a group or a shared place; the table keeps no others alive. */
  get consumerCount(): number {
    return this.#holdings.size
  }

  /** Shared places that somebody has. */
  get sharedCount(): number {
    let count = 0
    for (const holding of this.#holdings.values()) count += holding.sharedPlaces.size
    return count
  }

  /** Who gets the messages of this group; undefined if nobody has it yet. Hot path. */
  ownerOf(groupId: string): C | undefined {
    const holding = this.#owners.get(groupId) ?? this.#sharedOwners?.[placeOf(groupId)]
    return holding?.consumer
  }

  /** Gives the group to `consumer` and answers true. If somebody has it already, nothing changes and the answer is false. */
  assign(groupId: string, consumer: C): boolean {
    if (this.ownerOf(groupId) !== undefined) return false
    const holding = this.#holdingOf(consumer)
    const bytes = bytesOf(groupId)
    if (this.#owners.size < this.#groupsMax && this.#groupBytes + bytes <= this.#groupBytesMax) {
      this.#owners.set(groupId, holding)
      holding.groupIds.add(groupId)
      this.#groupBytes += bytes
    } else {
      const place = placeOf(groupId)
      this.#sharedOwners ??= Array.from({ length: SHARED_PLACES }, () => undefined)
      this.#sharedOwners[place] = holding
      holding.sharedPlaces.add(place)
    }
    return true
  }

  /** The group ends: its next message may go to anybody. A group that shares its place does not end alone; the answer is false then. */
  close(groupId: string): boolean {
    const holding = this.#owners.get(groupId)
    if (holding === undefined) return false
    holding.groupIds.delete(groupId)
    this.#forgetGroup(groupId)
    this.#dropIfEmpty(holding)
    return true
  }

  /** The consumer leaves: all that it has is free. Returns how many groups and shared places that were. */
  release(consumer: C): number {
    const holding = this.#holdings.get(consumer)
    if (holding === undefined) return 0
    for (const groupId of holding.groupIds) this.#forgetGroup(groupId)
    for (const place of holding.sharedPlaces) this.#sharedOwners![place] = undefined
    this.#holdings.delete(consumer)
    return holding.groupIds.size + holding.sharedPlaces.size
  }

  /** How many groups and shared places it has. */
  countOf(consumer: C): number {
    const holding = this.#holdings.get(consumer)
    return holding === undefined ? 0 : holding.groupIds.size + holding.sharedPlaces.size
  }

  /** Of `candidates` the one that has the fewest, the first of several; undefined if there are no candidates. */
  leastLoaded(candidates: Iterable<C>): C | undefined {
    let best: C | undefined = undefined
    let bestCount = Infinity
    for (const candidate of candidates) {
      const count = this.countOf(candidate)
      if (count >= bestCount) continue
      best = candidate
      bestCount = count
      if (count === 0) break
    }
    return best
  }

  #holdingOf(consumer: C): Holding<C> {
    const known = this.#holdings.get(consumer)
    if (known !== undefined) return known
    const holding = { consumer, groupIds: new Set<string>(), sharedPlaces: new Set<number>() }
    this.#holdings.set(consumer, holding)
    return holding
  }

  #forgetGroup(groupId: string): void {
    this.#owners.delete(groupId)
    this.#groupBytes -= bytesOf(groupId)
  }

  #dropIfEmpty(holding: Holding<C>): void {
    if (holding.groupIds.size + holding.sharedPlaces.size === 0) this.#holdings.delete(holding.consumer)
  }
}

function bytesOf(groupId: string): number {
  return GROUP_BYTES + 2 * groupId.length
}

/** FNV-1a over UTF-16 units. Whoever makes ids that fall together only makes its own groups share a consumer. */
function placeOf(groupId: string): number {
  let hash = 0x811c_9dc5
  for (let index = 0; index < groupId.length; index++) hash = Math.imul(hash ^ groupId.charCodeAt(index), 0x0100_0193)
  return (hash ^ (hash >>> 16)) & (SHARED_PLACES - 1)
}
