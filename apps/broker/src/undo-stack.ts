/** What has been started, to be stopped in reverse: at the end, or when a later part fails to start. */

export class UndoStack {
  readonly #steps: Array<() => void | Promise<void>> = []

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step)
  }

  /** Every step runs, whatever the others do; then the first error is thrown. */
  async run(): Promise<void> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
