/**
 * The publishes of one producer that have no room: they wait at a gate, in their order and each for its time at most, and go on from
 * there. What was published after them waits behind them. `Parking` has what they count for, the producer what they have become.
 */
import type { Cancel } from '../env.ts'
import { type Obstacle, obstacleTo } from '../flow/admission.ts'
import type { Gate, Waiter } from '../flow/gates.ts'
import { isParkedRefusal, isParkedWork, type Parked, type ParkedWork, Parking } from '../flow/parking.ts'
import { durationText } from '../flow/units.ts'
import type { Message } from '../message/message.ts'
import type { Producer, ProducerWork, PublishOptions, PublishResult } from './producer.ts'
import { publishLater, publishPlanned } from './publish-logged.ts'
import { answerDuplicate, isKnownId, publishOnce } from './publish-once.ts'
import type { RefusalDetail } from '../refusal.ts'
import { type Route, targetsOf } from '../routing/router.ts'
import type { VirtualHost } from '../virtual-host.ts'

export class HeldPublishes implements Waiter {
  readonly #vhost: VirtualHost
  readonly #producer: Producer
  readonly #parking: Parking
  gate: Gate | undefined = undefined
  #cancelDeadline: Cancel | undefined = undefined

  constructor(vhost: VirtualHost, producer: Producer) {
    this.#vhost = vhost
    this.#producer = producer
    this.#parking = new Parking(vhost.waiting)
  }

  get count(): number {
    return this.#parking.count
  }

  get bytes(): number {
    return this.#parking.bytes
  }

  /** A publish; it waits for `obstacle`, or behind the others. */
  add(route: Route, message: Message, tag: number, options: PublishOptions | undefined, obstacle: Obstacle | undefined): void {
    this.#parking.add({ route, message, tag, options, sinceMs: this.#vhost.env.clock.monoMs() })
    if (obstacle !== undefined) this.#waitAt(obstacle, obstacle.waitMsMax)
  }

  /** As `add`, of a commit. */
  addWork(work: ProducerWork, obstacle: Obstacle | undefined): void {
    this.#parking.addWork({ work, sinceMs: this.#vhost.env.clock.monoMs() })
    if (obstacle !== undefined) this.#waitAt(obstacle, obstacle.waitMsMax)
  }

  /** An answer that must not overtake the others. */
  addRefusal(refusal: RefusalDetail, tag: number): void {
    this.#parking.addRefusal({ refusal, tag })
  }

  /** What they waited behind is in the log: they go on in this turn. */
  release(): void {
    this.#vhost.flow.gates.release(this)
  }

  // ── Waiter ──

  goOn(max: number): number {
    const parking = this.#parking
    const producer = this.#producer
    let count = 0
    for (; count < max && !producer.isPreparing; count++) {
      const first = parking.peek()
      if (first === undefined) break
      if (isParkedRefusal(first)) {
        parking.shift()
        producer.answer(first.tag, first.refusal)
      } else if (isParkedWork(first) ? !this.#goOnWithWork(first) : !this.#goOnWith(first)) {
        producer.ease()
        return count
      }
    }
    if (parking.count === 0 || producer.isPreparing) {
      this.#vhost.flow.gates.leave(this)
      this.#disarm()
      producer.onNoneAtGate()
    }
    producer.ease()
    return count
  }

  giveUp(): void {
    this.#vhost.flow.gates.leave(this)
    this.#disarm()
  }

  /** False when it has to wait still. */
  #goOnWith({ route, message, tag, options, sinceMs }: Parked): boolean {
    const vhost = this.#vhost
    const producer = this.#producer
    targetsOf(route)
    if (route.parts !== undefined) return this.#goOnWithAll(route, message, tag, options, sinceMs)
    if (route.hasTtl) route.limitLife(message, vhost.env.clock.wallMs())
    if (isKnownId(vhost, route, options)) {
      this.#parking.shift()
      this.#tell(tag, answerDuplicate(producer, vhost, route, options!.dedupId!, tag))
      return true
    }
    const mustLog = vhost.mustLog(route, message)
    const obstacle = options?.schedule === undefined ? obstacleTo(vhost, route, message, mustLog) : undefined
    if (obstacle !== undefined) {
      if (this.#waitsFor(obstacle, sinceMs)) return false
      this.#parking.shift()
      producer.traffic.counters.refused++
      producer.answer(tag, { refusal: 'limit-reached', subject: route.topic, text: textOf(obstacle) })
      return true
    }
    this.#parking.shift()
    this.#tell(tag, this.#publish(route, message, tag, options, mustLog))
    return true
  }

  #goOnWithAll(route: Route, message: Message, tag: number, options: PublishOptions | undefined, sinceMs: number): boolean {
    const composite = this.#producer.compositeOf(route, message, tag, options)
    if (!this.#goOnWithWork({ work: composite, sinceMs })) return false
    this.#tell(tag, composite.result)
    return true
  }

  #goOnWithWork({ work, sinceMs }: ParkedWork): boolean {
    const obstacle = work.obstacle()
    if (obstacle !== undefined && this.#waitsFor(obstacle, sinceMs)) return false
    this.#parking.shift()
    if (obstacle === undefined) work.go()
    else work.refuse(textOf(obstacle))
    return true
  }

  #publish(route: Route, message: Message, tag: number, options: PublishOptions | undefined, mustLog: boolean): PublishResult {
    const vhost = this.#vhost
    const producer = this.#producer
    if (options?.schedule !== undefined) {
      const planned = vhost.schedule.plan(route, message, options.schedule, { subject: producer.subject, composite: undefined })
      if (planned.ok) return publishPlanned(producer, vhost, planned.value, tag, options.receivedId)
      producer.traffic.counters.refused++
      producer.answer(tag, planned.detail)
      return 'pending'
    }
    if (options?.dedupId !== undefined) return publishOnce(producer, vhost, route, message, tag, options, options.dedupId)
    if (producer.isPending || mustLog) return publishLater(producer, vhost, route, message, tag, options)
    return vhost.publish(route, message, producer.traffic)
  }

  #tell(tag: number, result: PublishResult): void {
    if (result !== 'pending') this.#producer.tell(tag, result)
  }

  /** The first in line, which has waited since then, goes on waiting. */
  #waitsFor(obstacle: Obstacle, sinceMs: number): boolean {
    const leftMs = sinceMs + obstacle.waitMsMax - this.#vhost.env.clock.monoMs()
    if (!obstacle.mayWait || leftMs <= 0) return false
    this.#waitAt(obstacle, leftMs)
    return true
  }

  #waitAt(obstacle: Obstacle, leftMs: number): void {
    this.#vhost.flow.gates.wait(this, obstacle.place)
    this.#disarm()
    this.#cancelDeadline = this.#vhost.env.clock.after(Math.min(leftMs, TIMER_MAX_MS), () => this.#onDeadline())
    this.#producer.onWaitsForRoom()
  }

  #disarm(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
  }

  #onDeadline(): void {
    this.#cancelDeadline = undefined
    const { gate } = this
    this.goOn(ANSWERS_PER_DEADLINE)
    if (gate !== undefined) this.#vhost.flow.gates.onGivenUp(gate)
  }
}

/** Why somebody is refused who may have waited. */
function textOf(obstacle: Obstacle): string {
  return obstacle.text() + (obstacle.mayWait ? `; waited ${durationText(obstacle.waitMsMax)}` : '')
}

/** Timers take no more; who waits longer has another look in between. */
const TIMER_MAX_MS = 2_147_483_647
/** Refusals in one go of publishes that have waited for too long; more follow in the same turn. */
const ANSWERS_PER_DEADLINE = 64
