import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ExportFolder } from '../../../src/export/folder.ts'

const made: string[] = []
function place() {
  const path = mkdtempSync(join(tmpdir(), 'export-'))
  made.push(path)
  return path
}
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

async function* chunks(...texts: string[]) {
  yield* texts
}
const invalid = { code: 'invalid_argument' }

describe('a folder for exports', () => {
  it('gets a new file, whole and for its owner alone, and says what is in it', async () => {
    const path = join(place(), 'made')
    const folder = new ExportFolder(path)
    const file = await folder.write({ name: 'a b.csv', content: chunks('é', 'x') })
    expect(file).toMatchObject({
      name: 'a b.csv',
      bytes: 3,
      sha256: createHash('sha256').update('éx').digest('hex'),
    })
    expect(readFileSync(new URL(file.uri), 'utf8')).toBe('éx')
    expect(statSync(new URL(file.uri)).mode & 0o777).toBe(0o600)
    expect(readdirSync(path)).toEqual(['a b.csv'])
  })

  it('is not left, and nothing in it is replaced', async () => {
    const path = place()
    const folder = new ExportFolder(path)
    const outside = join(place(), 'victim')
    writeFileSync(outside, 'safe')
    symlinkSync(outside, join(path, 'link'))
    symlinkSync(join(outside, 'missing'), join(path, 'dangling'))
    writeFileSync(join(path, 'there'), 'old')
    const names = [
      '../x',
      '..',
      '.',
      '',
      '/etc/x',
      'a/b',
      'a\\b',
      '.hidden',
      'nul',
      'NUL.txt',
      'com1',
      'COM¹.csv',
      'lpt9.tar',
      'con',
      'a:b',
      'a\u0000b',
      'a\n',
      'x.',
      'x ',
      '-rf',
      'x'.repeat(121),
      'e\u0301',
      'link',
      'dangling',
      'there',
      'a*',
      '\u202etxt',
    ]
    for (const name of names) {
      await expect(
        folder.write({ name, content: chunks('new') }),
        JSON.stringify(name),
      ).rejects.toMatchObject(invalid)
    }
    expect(readFileSync(outside, 'utf8')).toBe('safe')
    expect(readFileSync(join(path, 'there'), 'utf8')).toBe('old')
    expect(existsSync(join(outside, 'missing'))).toBe(false)
  })

  it('shows no file that is not whole', async () => {
    const path = place()
    const folder = new ExportFolder(path)
    async function* failing() {
      yield 'some'
      expect(readdirSync(path).filter(name => !name.startsWith('.'))).toEqual([])
      throw new Error('gone')
    }
    await expect(folder.write({ name: 'x', content: failing() })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(readdirSync(path)).toEqual([])
  })

  it('gives a name to one of several writers', async () => {
    const folder = new ExportFolder(place())
    const written = await Promise.allSettled(
      Array.from({ length: 5 }, (_, at) => folder.write({ name: 'same', content: chunks(`${at}`) })),
    )
    expect(written.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('has a folder for each owner, which no link can stand in for', async () => {
    const path = place()
    const folder = new ExportFolder(path)
    const [one, two] = [
      await folder.write({ name: 'x', owner: 'ada', content: chunks('1') }),
      await folder.write({ name: 'x', owner: '../bob', content: chunks('2') }),
    ]
    expect(new URL(one.uri).pathname).not.toBe(new URL(two.uri).pathname)
    for (const name of readdirSync(path)) expect(name).toMatch(/^[0-9a-f]{32}$/)
    const other = place()
    const own = join(other, createHash('sha256').update('ada').digest('hex').slice(0, 32))
    const elsewhere = place()
    symlinkSync(elsewhere, own)
    await expect(
      new ExportFolder(other).write({ name: 'x', owner: 'ada', content: chunks('1') }),
    ).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(readdirSync(elsewhere)).toEqual([])
  })

  it('holds so many bytes, those of its owners too', async () => {
    const path = place()
    const folder = new ExportFolder(path, { maxBytes: 100 })
    await folder.write({ name: 'a', owner: 'ada', content: chunks('x'.repeat(60)) })
    await expect(
      folder.write({ name: 'b', content: chunks('x'.repeat(30), 'x'.repeat(30)) }),
    ).rejects.toMatchObject({ code: 'store_full' })
    expect(readdirSync(path)).toHaveLength(1)
    await folder.write({ name: 'c', content: chunks('x'.repeat(40)) })
  })

  it('tells nothing of paths when it cannot be written', async () => {
    const path = join(place(), 'file')
    writeFileSync(path, '')
    const folder = new ExportFolder(join(path, 'below'))
    const error = await folder.write({ name: 'x', content: chunks('') }).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'store_unavailable' })
    expect((error as Error).message).not.toContain(path)
    rmSync(path)
    mkdirSync(path)
    // It is tried again.
    await folder.write({ name: 'x', content: chunks('') })
  })
})

describe('what is left of an export', () => {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
  const random = '0123456789abcdef'
  const gone = () => spawnSync(process.execPath, ['-e', '']).pid
  const temporary = (pid: number, of = host) => `.mcp-refcache-${of}-${pid}-${random}`

  it('goes with the next export where its process is gone; what is somebody else’s, or is being written, stays', async () => {
    const path = place()
    const owners = join(path, 'a'.repeat(32))
    mkdirSync(owners)
    const old = new Date(Date.now() - 2 * 60_000)
    const veryOld = new Date(Date.now() - 25 * 60 * 60_000)
    const leave = (folder: string, name: string, at: Date) => {
      writeFileSync(join(folder, name), 'half')
      utimesSync(join(folder, name), at, at)
    }
    const dead = gone()
    leave(path, temporary(dead), old)
    leave(owners, temporary(dead), old)
    leave(path, temporary(dead + 1, 'ffffffff'), veryOld)
    const kept = [
      temporary(process.ppid),
      temporary(dead, 'eeeeeeee'),
      `.mcp-refcache-${random}`,
      '.mcp-refcache-notes',
      `${temporary(dead)}.csv`,
    ]
    for (const name of kept) leave(path, name, old)
    symlinkSync(join(path, kept[0]!), join(path, temporary(dead, 'dddddddd')))
    await new ExportFolder(path).write({ name: 'new.csv', content: chunks('x') })
    const there = readdirSync(path).filter(name => name !== 'new.csv' && !name.startsWith('aaa'))
    expect(there.sort()).toEqual([...kept, temporary(dead, 'dddddddd')].sort())
    expect(readdirSync(owners)).toEqual([])
  })

  it('counts while another process writes it', async () => {
    const path = place()
    writeFileSync(join(path, temporary(process.ppid)), 'x'.repeat(90))
    const folder = new ExportFolder(path, { maxBytes: 100 })
    await expect(folder.write({ name: 'a', content: chunks('y'.repeat(20)) })).rejects.toMatchObject({
      code: 'store_full',
    })
  })
})
