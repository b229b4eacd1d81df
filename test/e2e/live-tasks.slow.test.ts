import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const child = fileURLToPath(new URL('fixtures/live-tasks-child.mjs', import.meta.url))

it.each([
  ['runs, with the promise of its handler', 'running', 3 * 1024],
  ['waits for its turn', 'queued', 2 * 1024],
])('a task that %s takes few kilobytes, with its entry in a memory store', async (_, state, most) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, state])
  expect(Number(stdout)).toBeGreaterThan(1_000)
  expect(Number(stdout)).toBeLessThan(most)
})
