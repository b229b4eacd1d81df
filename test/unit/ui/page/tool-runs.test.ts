import { expect, it } from 'vitest'
import { durationsOf } from '../../../../src/ui/page/plots/tool-runs.ts'

const run = (
  tool: string,
  milliseconds: number,
  status: 'complete' | 'failed' | 'cancelled' = 'complete',
) => ({
  tool,
  milliseconds,
  status,
  at: '2026-11-28T09:00:00.000Z',
})

it('the tool with the most runs is the top line, with a median', () => {
  const { tools, data } = durationsOf([run('a', 50), run('b', 10), run('b', 30), run('b', 20)])
  expect(tools).toEqual([
    { tool: 'b', count: 3, median: 20 },
    { tool: 'a', count: 1, median: 50 },
  ])
  const [x, ended, , median] = data
  expect(x).toEqual([...x].sort((one, other) => one - other))
  expect(ended.filter(y => y !== undefined)).toHaveLength(4)
  expect(median.filter(y => y !== undefined)).toEqual([1, 0])
})

it('failed runs are points of their own, and cancelled ones say nothing of how long a tool takes', () => {
  const { tools, data } = durationsOf([run('a', 50, 'failed'), run('c', 5, 'cancelled')])
  expect(tools.map(({ tool }) => tool)).toEqual(['a'])
  expect(data[1].every(y => y === undefined)).toBe(true)
  expect(data[2].filter(y => y !== undefined)).toHaveLength(1)
})

it('a run that took no time has a place on a logarithm', () => {
  expect(durationsOf([run('a', 0)]).data[0].every(x => x >= 1)).toBe(true)
})
