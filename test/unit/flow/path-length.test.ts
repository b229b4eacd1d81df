import { Session } from 'node:inspector/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'

/** The files of `src/flow` of which a named function runs during `work`, by V8's coverage. */
async function filesThatRun(work: () => Promise<unknown>): Promise<string[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await work()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    await session.post('Profiler.stopPreciseCoverage')
    return result
      .filter(({ functions }) => functions.some(hasRun))
      .flatMap(({ url }) => url.match(/\/src\/flow\/(.*)$/)?.[1] ?? [])
      .sort()
  } finally {
    session.disconnect()
  }
}

/** What is nameless is the module itself, and its exports. */
function hasRun({
  functionName,
  ranges,
}: {
  functionName: string
  ranges: ReadonlyArray<{ count: number }>
}) {
  return functionName !== '' && (ranges[0]?.count ?? 0) > 0
}

const cache = new RefCache({ name: 't' })
afterEach(() => cache.close())

describe('a reader of the flow meets few files', () => {
  it('in a memoized call that is won', async () => {
    const tool = cache.cached({ name: 'double' }, ({ rows }: { rows: number }) => [rows, rows])
    await tool({ rows: 1 })
    const files = await filesThatRun(() => tool({ rows: 2 }))
    expect(files).toContain('call/call.ts')
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(20)
  })
})
