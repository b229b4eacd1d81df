import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuditEvent } from '../../../src/access/audit.ts'
import { auditFile } from '../../../src/audit/index.ts'
import { mountSmallDisk } from '../../e2e/fault/small-disk.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-test-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A condition is waited for, never a time; this only ends a test that fails. */
const PATIENCE = { timeout: 10_000, interval: 5 }

const EVENT: AuditEvent = {
  at: new Date('2026-01-15T12:00:00.000Z'),
  actor: { type: 'agent', id: 'alice' },
  action: 'get',
  refId: `files:${'0'.repeat(32)}`,
  namespace: 'user:alice',
  toolName: 'report',
  permission: 1,
  verdict: 'allowed',
  rule: 'role',
}
const numbered = (n: number): AuditEvent => ({ ...EVENT, toolName: `tool ${n}` })
const modeOf = (file: string) => statSync(file).mode & 0o777
const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const records = () => lines().map(line => JSON.parse(line))
const loud = (error: Error) => {
  throw error
}

async function written(...events: AuditEvent[]) {
  const sink = auditFile(path, { onError: loud })
  for (const event of events) sink.write(event)
  await sink.close()
}

describe('an audit file', () => {
  it('holds one object a line, with permissions in words', async () => {
    const bare: AuditEvent = {
      at: EVENT.at,
      actor: { type: 'user' },
      action: 'exists',
      permission: 17,
      verdict: 'hidden',
      rule: 'unknown',
    }
    await written(EVENT, bare)
    expect(records()).toEqual([
      { ...EVENT, at: '2026-01-15T12:00:00.000Z', permission: 'READ' },
      {
        at: '2026-01-15T12:00:00.000Z',
        actor: { type: 'user' },
        action: 'exists',
        permission: 'READ|EXECUTE',
        verdict: 'hidden',
        rule: 'unknown',
      },
    ])
  })

  it('holds nothing but what an event has, and no id of a session', async () => {
    const event = {
      ...EVENT,
      actor: { type: 'agent', sessionId: 'secret-session', token: 'secret-token' },
      namespace: 'user:alice:session:secret-session',
      value: 'secret-value',
    } as AuditEvent
    await written(event)
    expect(lines().join()).not.toContain('secret')
    const [{ actor, namespace }] = records()
    expect(actor.session).toMatch(/^[0-9a-f]{16}$/)
    expect(namespace).toBe(`user:alice:session::${actor.session}`)
  })

  it('loses no line at its end, and keeps their order', async () => {
    await written(...Array.from({ length: 5_000 }, (_, n) => numbered(n)))
    expect(records().map(({ toolName }) => toolName)).toEqual(
      Array.from({ length: 5_000 }, (_, n) => `tool ${n}`),
    )
  })

  it('takes any number of events at once', async () => {
    const large = { ...EVENT, toolName: 'x'.repeat(1_000_000) }
    await written(...Array(20).fill(large))
    expect(lines()).toHaveLength(20)
  })

  it('is written without being closed', async () => {
    const sink = auditFile(path, { onError: loud })
    sink.write(EVENT)
    await vi.waitFor(() => expect(lines()).toHaveLength(1), PATIENCE)
    await sink.close()
  })

  it('is added to, by several sinks too', async () => {
    await written(numbered(1))
    const [one, two] = [auditFile(path, { onError: loud }), auditFile(path, { onError: loud })]
    one.write(numbered(2))
    two.write(numbered(3))
    await Promise.all([one.close(), two.close()])
    expect(
      records()
        .map(({ toolName }) => toolName)
        .sort(),
    ).toEqual(['tool 1', 'tool 2', 'tool 3'])
  })

  it('that ends in the middle of a line goes on with a new one', async () => {
    writeFileSync(path, '{"at":"2026-01-')
    await written(EVENT)
    expect(lines()).toHaveLength(2)
    expect(JSON.parse(lines()[1]!)).toMatchObject({ action: 'get' })
  })

  it('may be closed twice; what comes after is reported, and written nowhere', async () => {
    const onError = vi.fn()
    const sink = auditFile(path, { onError })
    sink.write(EVENT)
    await Promise.all([sink.close(), sink.close()])
    sink.write(EVENT)
    sink.write(EVENT)
    expect(onError).toHaveBeenCalledTimes(1)
    expect(onError.mock.calls[0]![0].message).toContain('closed')
    expect(lines()).toHaveLength(1)
  })
})

describe('no text can forge a line', () => {
  const forged = '{"action":"forged"}'
  it.each([
    ['a line feed', '\n'],
    ['a carriage return', '\r'],
    ['a vertical tab', '\v'],
    ['a next line', '\u0085'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['a null', '\0'],
    ['a terminal sequence', '\u001b[2K\u001b[1A'],
    ['an 8-bit terminal sequence', '\u009b2K'],
    ['a delete', '\u007f'],
    ['a change of direction', '\u202e'],
    ['an invisible tag', '\u{e0041}'],
    ['half a surrogate pair', '\ud800'],
    ['the end of the text', '"}'],
  ])('with %s', async (_, trick) => {
    const text = `a${trick}${forged}`
    await written({ ...EVENT, toolName: text, namespace: text, actor: { type: 'user', id: text } })
    const raw = readFileSync(path, 'utf8')
    // Whatever a reader takes for the end of a line, there is one line.
    expect(raw.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(raw.at(-1)).toBe('\n')
    const [record] = records()
    expect([record.toolName, record.namespace, record.actor.id]).toEqual([text, text, text])
  })
})

describe.skipIf(process.platform === 'win32')('the place', () => {
  it('is made for its user alone, with the folders above it', async () => {
    path = join(folder, 'var', 'log', 'audit.jsonl')
    await written(EVENT)
    expect(modeOf(path)).toBe(0o600)
    expect(modeOf(join(folder, 'var', 'log'))).toBe(0o700)
    expect(modeOf(join(folder, 'var'))).toBe(0o700)
  })

  it('is tightened where it is there and open to others, and the folder left as it is', async () => {
    const shared = join(folder, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o755)
    path = join(shared, 'audit.jsonl')
    writeFileSync(path, '')
    chmodSync(path, 0o664)
    await written(EVENT)
    expect(modeOf(path)).toBe(0o600)
    expect(modeOf(shared)).toBe(0o755)
  })

  it('is told of loudly where somebody else may read or change it', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    writeFileSync(path, '')
    linkSync(path, join(folder, 'second'))
    await written(EVENT)
    expect(said).toHaveBeenCalledWith(expect.stringMatching(/audit file may be open to others: .*hard link/))
    // Only root may give files away.
    if (process.geteuid?.() === 0) {
      chownSync(path, 4_242, 4_242)
      chmodSync(path, 0o644)
      await written(EVENT)
      expect(said).toHaveBeenCalledWith(expect.stringMatching(/belongs to another user/))
      expect(modeOf(path)).toBe(0o644)
    }
    said.mockRestore()
  })

  it('is no link, no pipe, no device and no folder', () => {
    const target = join(folder, 'target')
    const link = join(folder, 'link')
    symlinkSync(target, link)
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const place of [link, pipe, '/dev/null', folder]) {
      expect(() => auditFile(place)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(place) }),
      )
    }
    expect(existsSync(target)).toBe(false)
  })
})

describe('a file that cannot be written', () => {
  it('never breaks its writer, whatever the event or the listener', async () => {
    const onError = vi.fn(loud)
    const sink = auditFile(path, { onError })
    sink.write({ ...EVENT, at: new Date(Number.NaN) })
    sink.write(undefined as unknown as AuditEvent)
    expect(onError).toHaveBeenCalledTimes(1)
    sink.write(EVENT)
    await sink.close()
    expect(lines()).toHaveLength(1)
  })

  it('is reported once, and gets every line when there is room again', async context => {
    const disk = mountSmallDisk(folder, 1)
    if (!disk) return context.skip()
    try {
      path = join(disk.folder, 'audit.jsonl')
      const onError = vi.fn()
      const sink = auditFile(path, { onError })
      sink.write(numbered(0))
      await vi.waitFor(() => expect(lines()).toHaveLength(1), PATIENCE)
      disk.fill()
      // What is left of the file's last block takes a part of them, and tears a line.
      for (let n = 1; n <= 40; n++) sink.write(numbered(n))
      await vi.waitFor(() => expect(onError).toHaveBeenCalled(), PATIENCE)
      expect(statSync(path).size % 4096).toBe(0)
      expect(readFileSync(path, 'utf8').at(-1)).not.toBe('\n')
      for (let n = 41; n <= 60; n++) {
        sink.write(numbered(n))
        await turn()
      }
      expect(onError).toHaveBeenCalledTimes(1)
      expect(onError.mock.calls[0]![0].message).toMatch(/audit\.jsonl.*ENOSPC/)
      disk.free()
      await sink.close()
      expect(records().map(({ toolName }) => toolName)).toEqual(
        Array.from({ length: 61 }, (_, n) => `tool ${n}`),
      )
    } finally {
      disk.unmount()
    }
  })

  it('says how many lines were lost, where more came than can wait', async context => {
    const disk = mountSmallDisk(folder, 16)
    if (!disk) return context.skip()
    try {
      path = join(disk.folder, 'audit.jsonl')
      const onError = vi.fn()
      const sink = auditFile(path, { onError })
      disk.fill()
      sink.write(EVENT)
      await vi.waitFor(() => expect(onError).toHaveBeenCalled(), PATIENCE)
      const large = { ...EVENT, toolName: 'x'.repeat(1_000_000) }
      for (let n = 0; n < 20; n++) sink.write({ ...large, at: new Date(EVENT.at.getTime() + n) })
      disk.free()
      await sink.close()
      const all = records()
      expect(all).toHaveLength(10)
      expect(all.at(-1)).toEqual({ at: '2026-01-15T12:00:00.019Z', lost: 12 })
    } finally {
      disk.unmount()
    }
  })
})

it('a default listener says it on one line of stderr', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const sink = auditFile(path)
    await sink.close()
    sink.write(EVENT)
    sink.write(EVENT)
    expect(stderr.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^mcp-refcache: The audit file .*closed.*\n$/),
    ])
  } finally {
    stderr.mockRestore()
  }
})
