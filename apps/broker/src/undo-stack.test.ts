import { expect, test } from 'vitest'

import { UndoStack } from './undo-stack.ts'

test('what was started last is stopped first, one after another', async () => {
  const stopped: string[] = []
  const undo = new UndoStack()
  undo.add(() => void stopped.push('first'))
  undo.add(async () => {
    await Promise.resolve()
    stopped.push('second')
  })
  await undo.run()
  await undo.run()
  expect(stopped).toEqual(['second', 'first'])
})

test('a step that fails keeps nobody from stopping, and is told', async () => {
  const stopped: string[] = []
  const undo = new UndoStack()
  undo.add(() => void stopped.push('first'))
  undo.add(() => {
    throw new Error('stuck')
  })
  await expect(undo.run()).rejects.toThrow('stuck')
  expect(stopped).toEqual(['first'])
})
