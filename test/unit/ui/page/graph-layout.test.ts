import { describe, expect, it } from 'vitest'
import type { EntryGraph, GraphNode } from '../../../../src/ui/api.ts'
import { layOut } from '../../../../src/ui/page/opened/graph-layout.ts'

const node = (ref: string, level: number): GraphNode => ({ ref, level, status: 'complete' })
type Edge = EntryGraph['edges'][number]
const edge = (from: string, to: string, how: Edge['how'] = 'input'): Edge => ({ from, to, how })
const laidOut = (nodes: readonly GraphNode[], edges: readonly Edge[]) => layOut({ nodes, edges })

describe('the graph of who used whom', () => {
  it('has a column a step, each in the middle of the height', () => {
    const { columns, height } = laidOut(
      [node('b', 0), node('c', 1), node('d', 1), node('a', -1)],
      [edge('a', 'b'), edge('b', 'c'), edge('b', 'd')],
    )
    expect(columns.map(({ level, nodes }) => [level, ...nodes.map(({ ref }) => ref)])).toEqual([
      [-1, 'a'],
      [0, 'b'],
      [1, 'c', 'd'],
    ])
    const ys = columns.map(({ nodes }) => nodes.map(({ y }) => y))
    expect(ys[0]).toEqual([height / 2])
    expect((ys[2]![0]! + ys[2]![1]!) / 2).toBe(height / 2)
  })

  it('draws lines from what was used to what used it, and knows them in words', () => {
    const { columns, edges } = laidOut(
      [node('a', -2), node('b', -1), node('c', 0)],
      [edge('a', 'b'), edge('b', 'c')],
    )
    expect(edges.map(({ from, to }) => [from[0], to[0]])).toEqual([
      [0, 1],
      [1, 2],
    ])
    expect(columns[2]?.nodes[0]?.madeOf).toEqual(['b'])
  })

  it('says how many more there are than it draws, and draws no line to those', () => {
    const many = Array.from({ length: 20 }, (_, i) => node(`used ${i}`, 1))
    const { columns, edges } = laidOut(
      [node('a', 0), ...many],
      many.map(({ ref }) => edge('a', ref)),
    )
    expect(columns[1]).toMatchObject({ more: 12 })
    expect(columns[1]?.nodes).toHaveLength(8)
    expect(edges).toHaveLength(8)
  })

  it('draws what is an input and a guard once, as no mere guard', () => {
    const ties = [edge('a', 'b'), edge('a', 'b', 'guard'), edge('g', 'b', 'guard')]
    const [left] = laidOut([node('b', 0), node('a', -1), node('a', -1), node('g', -1)], ties).columns
    expect(left?.nodes.map(({ ref, isGuard }) => [ref, isGuard])).toEqual([
      ['a', false],
      ['g', true],
    ])
  })
})
