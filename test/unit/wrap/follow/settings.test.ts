import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../../../src/wrap/config-file.ts'
import { settingsFor, unlistedTools } from '../../../../src/wrap/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'follow-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(follow: unknown, more: object = {}) {
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify({ tools: { start: { follow, ...more } } }))
  return readConfig(path).settings
}

const LEAST = {
  ask: { tool: 'status', arguments: { id: '/id' } },
  done: { at: '/status', is: ['completed'] },
}

describe('the setting follow', () => {
  it('has defaults for what is left out', () => {
    expect(settingsFor(read(LEAST), 'start').follow).toEqual({ ...LEAST, every: '1s', atMost: '15s' })
  })

  it('names tools, which the server should have', () => {
    const settings = read({ ...LEAST, cancel: { tool: 'stop' }, result: { tool: 'fetch' } })
    const unlisted = unlistedTools(settings, ['start', 'status']).map(({ pattern }) => pattern)
    expect(unlisted).toEqual(['stop', 'fetch'])
  })

  it.each([
    [{}, 'tools.start.follow.ask'],
    [{ ...LEAST, done: undefined }, 'tools.start.follow.done'],
    [
      { ...LEAST, done: { at: 'status' } },
      "tools.start.follow.done.at: must be a JSON Pointer, such as '/job/id'",
    ],
    [
      { ...LEAST, done: { at: 7 } },
      'tools.start.follow.done.at: must be a JSON Pointer or { "after": "text" }',
    ],
    [{ ...LEAST, done: { at: '/a', is: [] } }, 'tools.start.follow.done.is'],
    [{ ...LEAST, done: { at: '/a', equals: ['b'] } }, "there is no 'equals'; there are at, is"],
    [{ ...LEAST, dnoe: 1 }, "there is no 'dnoe'; did you mean 'done'?"],
    [{ ...LEAST, ask: { tool: 'status', args: {} } }, "there is no 'args'; there are tool, arguments"],
    [
      { ...LEAST, ask: { tool: 'status', arguments: { id: { from: '/id' } } } },
      'tools.start.follow.ask.arguments.id: must be a JSON Pointer, { "after": "text" }, { "value": … }',
    ],
    [
      { ...LEAST, ask: { tool: 'status', arguments: { id: { argument: 'x' } } } },
      'ask.arguments.id.argument: must be a JSON Pointer',
    ],
    [{ ...LEAST, result: { tool: '' } }, 'tools.start.follow.result.tool'],
    [{ ...LEAST, every: '0s' }, 'tools.start.follow.every: must be more than 0'],
    [{ ...LEAST, every: '1m' }, 'tools.start.follow.atMost: must not be less than every'],
    [{ ...LEAST, progress: { now: '/n' } }, "there is no 'now'; there are current, total, message"],
  ])('is refused with what is wrong, and where: %j', (follow, message) => {
    expect(() => read(follow)).toThrow(message)
  })

  it('is for calls that go through the cache, and stands with tools alone', () => {
    expect(() => read(LEAST, { cache: false })).toThrow(
      'tools.start.follow: is for calls that go through the cache',
    )
    const path = join(folder, 'config.json')
    writeFileSync(path, JSON.stringify({ defaults: { follow: LEAST } }))
    expect(() => readConfig(path)).toThrow("there is no 'follow'")
  })
})
