import { describe, expect, it } from 'vitest'
import { CACHED_AT_META, withAge } from '../../../src/agent/age.ts'
import type { RpcResponse } from '../../../src/wrap/rpc.ts'
import { settingsFor, unlistedTools, withInvalidated, withMemoized } from '../../../src/wrap/settings.ts'
import { PassingWrites, saysChange } from '../../../src/wrap/tools/passing-writes.ts'
import { idIn, serverOf, Wired } from './wired.ts'

describe('the settings of a tool', () => {
  const settings = {
    defaults: { asyncTimeout: '1s', ttl: '1h' },
    tools: {
      'read_*_file': { maxSize: 3 },
      read_text_file: { ttl: '1m' },
      'read_*': { memoize: true, maxSize: 1 },
      '*': { memoize: false, strategy: 'truncate' },
      '*_file': { maxSize: 2 },
    },
  } as const

  it('come each from the most specific pattern that has it', () => {
    expect(settingsFor(settings, 'read_text_file')).toEqual({
      asyncTimeout: '1s',
      ttl: '1m',
      memoize: true,
      maxSize: 3,
      strategy: 'truncate',
    })
    expect(settingsFor(settings, 'write')).toEqual({
      asyncTimeout: '1s',
      ttl: '1h',
      memoize: false,
      strategy: 'truncate',
    })
    // Of two that are equally specific, the later one.
    expect(settingsFor(settings, 'read__file').maxSize).toBe(3)
    expect(
      settingsFor({ defaults: {}, tools: { 'a*': { maxSize: 1 }, '*b': { maxSize: 2 } } }, 'ab'),
    ).toEqual({
      maxSize: 2,
    })
  })

  it('memoize what the command line names, at its place among the patterns', () => {
    const told = withMemoized({ defaults: {}, tools: { get_time: { memoize: false } } }, ['get_*'])
    expect(settingsFor(told, 'get_user').memoize).toBe(true)
    expect(settingsFor(told, 'get_time').memoize).toBe(false)
    expect(settingsFor(told, 'set_user').memoize).toBeUndefined()
    for (const name of ['constructor', '__proto__', 'toString']) expect(settingsFor(told, name)).toEqual({})
  })

  it('that name no tool are found, with what was meant', () => {
    const tools = { serach: {}, 'read_*': {}, '*': {}, nothing_like_it: {} }
    expect(unlistedTools({ defaults: {}, tools }, ['search', 'read_file'])).toEqual([
      { pattern: 'serach', meant: 'search' },
      { pattern: 'nothing_like_it', meant: undefined },
    ])
  })
})

describe('a call that makes memoized results outdated', () => {
  it('frees them before its answer, and only those that the settings name', async () => {
    const reached: string[] = []
    const listing = serverOf(() => '{"content":[]}')
    const session = await Wired.open(
      (line, say) => {
        if (!line.includes('"tools/call"')) return listing(line, say)
        const { name } = JSON.parse(line).params
        reached.push(name)
        say(
          `{"jsonrpc":"2.0","id":${idIn(line)},"result":{"content":[{"type":"text","text":"${reached.length}"}]}}`,
        )
      },
      {
        settings: withInvalidated(withMemoized({ defaults: {}, tools: {} }, ['read_*', 'list_*']), [
          { tool: 'create_*', outdated: 'read_*' },
        ]),
      },
    )
    let id = 0
    const call = async (name: string) => {
      const answer = await session.ask(`c${id++}`, 'tools/call', JSON.stringify({ name, arguments: {} }))
      return JSON.parse(answer).result.content[0].text
    }
    expect(await call('read_graph')).toBe('1')
    expect(await call('list_all')).toBe('2')
    expect(await call('read_graph')).toBe('1')
    await call('create_entities')
    expect(await call('list_all')).toBe('2')
    expect(await call('read_graph')).toBe('4')
    expect(reached).toEqual(['read_graph', 'list_all', 'create_entities', 'read_graph'])
    await session.close()
  })

  it('is named by pattern, beside the other settings, and its targets are looked for among the tools', () => {
    const told = withInvalidated({ defaults: {}, tools: { create: { ttl: '1m', invalidates: ['a'] } } }, [
      { tool: 'create', outdated: 'b' },
      { tool: 'write_*', outdated: 'raed_*' },
    ])
    expect(told.tools).toEqual({
      create: { ttl: '1m', invalidates: ['a', 'b'] },
      'write_*': { invalidates: ['raed_*'] },
    })
    const unlisted = unlistedTools(told, ['create', 'write_x', 'a', 'b', 'read_x'])
    expect(unlisted.map(({ pattern }) => pattern)).toEqual(['raed_*'])
  })
})

describe('a call that passes by the cache', () => {
  function scene() {
    const state = { writes: 0, stopped: 0 }
    const passing = new PassingWrites(() => {
      state.writes++
      return how => {
        state.writes--
        if (how === 'stopped') state.stopped++
      }
    })
    const answer = (id: number, result: object) =>
      passing.answered(id, { jsonrpc: '2.0', id, result } as unknown as RpcResponse)
    return { state, passing, answer }
  }

  it('is a write until it is answered', () => {
    const { state, passing, answer } = scene()
    passing.called(1)
    passing.called(2)
    answer(3, {})
    expect(state.writes).toBe(2)
    answer(1, {})
    passing.answered(2, { jsonrpc: '2.0', id: 2, error: { code: 1, message: 'no' } })
    expect(state).toEqual({ writes: 0, stopped: 0 })
  })

  it.each([
    ['2025-11-25', { task: { taskId: 'x', status: 'working' } }],
    ['2026-07-28', { resultType: 'task', taskId: 'x', status: 'working' }],
  ])('that becomes a task of %s is one until the end of that is seen', (_, created) => {
    const { state, passing, answer } = scene()
    passing.called(1)
    answer(1, created)
    passing.saw({ taskId: 'other', status: 'completed' })
    answer(2, { taskId: 'x', status: 'working' })
    expect(state.writes).toBe(1)
    answer(3, { taskId: 'x', status: 'completed' })
    expect(state).toEqual({ writes: 0, stopped: 0 })
  })

  it('that is cancelled, or whose server is lost, may still take effect', () => {
    const { state, passing, answer } = scene()
    passing.called(1)
    passing.called(2)
    passing.cancelled(1)
    answer(2, { task: { taskId: 'x', status: 'working' } })
    passing.lost()
    passing.lost()
    expect(state).toEqual({ writes: 0, stopped: 2 })
  })

  it.each([
    ['notifications/tools/list_changed', true],
    ['notifications/resources/updated', true],
    ['notifications/resources/list_changed', true],
    ['notifications/progress', false],
    ['notifications/message', false],
  ])('%s says that something changed: %s', (method, says) => {
    expect(saysChange({ jsonrpc: '2.0', method })).toBe(says)
  })
})

describe('the result of an earlier call', () => {
  const result = { content: [{ type: 'text', text: 'old' }], _meta: { own: 1 } }

  it('says its age to programs, and to models once that is more than a minute', () => {
    const meta = { own: 1, [CACHED_AT_META]: new Date(0).toISOString() }
    expect(withAge(result, new Date(0), 60_000)).toEqual({ ...result, _meta: meta })
    const aged = withAge(result, new Date(0), 5 * 60_000) as typeof result
    expect(aged.content).toHaveLength(2)
    expect(aged.content[1]?.text).toMatch(/5 minutes ago.*_fresh: true/)
    expect(JSON.stringify(withAge({}, new Date(0), 86_400_000))).toContain('24 hours')
    expect(JSON.stringify(withAge({}, new Date(0), 864_000_000))).toContain('10 days')
  })
})
