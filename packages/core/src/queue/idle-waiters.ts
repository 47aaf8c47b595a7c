/** Those who wait until a queue has nothing more to hand out; each is told once. One per consumer that drains. */
export class IdleWaiters {
  #waiting: (() => void)[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(then: () => void): void {
    this.#waiting.push(then)
  }

  tell(): void {
    const told = this.#waiting
    this.#waiting = []
    for (const then of told) then()
  }
}
