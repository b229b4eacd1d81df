import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommandFailed } from '../../../src/cli/exit.ts'
import { createProgram } from '../../../src/cli/program.ts'

let place: string
let written = ''
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'refcache-new-'))
  written = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    written += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(place, { recursive: true, force: true })
})

/** What it ends with: nothing where it went well. */
async function makeNew(folder: string, ...options: string[]): Promise<CommandFailed | undefined> {
  const argv = ['new', join(place, folder), ...options]
  const program = await createProgram(argv)
  const failure = await program.parseAsync(argv, { from: 'user' }).then(
    () => undefined,
    error => error,
  )
  if (failure === undefined || failure instanceof CommandFailed) return failure
  throw failure
}

const read = (path: string) => readFileSync(join(place, path), 'utf8')
const ours = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

describe('mcp-refcache new', () => {
  it('makes a project of the name of its folder, and says what to do then', async () => {
    expect(await makeNew('Shop Tools')).toBeUndefined()
    const files = readdirSync(join(place, 'Shop Tools'), { recursive: true, encoding: 'utf8' })
    expect(files.sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'src',
      'src/main.ts',
      'src/server.test.ts',
      'src/server.ts',
      'src/shop.ts',
      'tsconfig.json',
    ])
    expect(written).toMatch(/^Made shop-tools.*cd '.*Shop Tools'\n {2}npm install\n {2}npm test\n/s)
    expect(JSON.parse(read('Shop Tools/package.json')).name).toBe('shop-tools')
    expect(read('Shop Tools/README.md')).toMatch(/^# shop-tools\n/)
    expect(read('Shop Tools/src/server.ts')).toContain("name: 'shop-tools'")
    const all = files.filter(name => /\.\w+$/.test(name)).map(name => read(`Shop Tools/${name}`))
    expect(all.join()).not.toContain('my-server')
  })

  it('takes all versions from its own package.json', async () => {
    await makeNew('shop')
    const { dependencies, devDependencies } = JSON.parse(read('shop/package.json'))
    const { 'mcp-refcache': own, ...others } = { ...dependencies, ...devDependencies }
    expect(own).toBe(`^${ours.version}`)
    expect(Object.keys(others).length).toBeGreaterThan(3)
    expect({ ...ours.dependencies, ...ours.devDependencies }).toMatchObject(others)
  })

  it('brings SQLite along where Node has none', async () => {
    await makeNew('shop')
    const { engines, dependencies } = JSON.parse(read('shop/package.json'))
    const hasSqlite = process.getBuiltinModule?.('node:sqlite') !== undefined
    expect(engines.node).toBe(hasSqlite ? '>=22.13' : '>=20')
    expect('@photostructure/sqlite' in dependencies).toBe(!hasSqlite)
  })

  it('--json says what was made', async () => {
    await makeNew('shop', '--name', 'store', '--json')
    const { folder, name, files, next } = JSON.parse(written)
    expect({ folder, name }).toEqual({ folder: join(place, 'shop'), name: 'store' })
    expect(files).toContain('src/server.ts')
    expect(next.slice(-2)).toEqual(['npm install', 'npm test'])
  })

  it('fills an empty folder, also one that git began', async () => {
    mkdirSync(join(place, 'shop/.git'), { recursive: true })
    expect(await makeNew('shop')).toBeUndefined()
    expect(existsSync(join(place, 'shop/package.json'))).toBe(true)
  })

  it('changes nothing in a folder that is not empty', async () => {
    mkdirSync(join(place, 'shop'))
    writeFileSync(join(place, 'shop/notes.txt'), 'mine')
    expect(await makeNew('shop')).toMatchObject({ exitCode: 1, code: 'folder_not_empty' })
    expect(readdirSync(join(place, 'shop'))).toEqual(['notes.txt'])
  })

  it('leaves a file where a folder was meant', async () => {
    writeFileSync(join(place, 'shop'), 'mine')
    expect(await makeNew('shop')).toMatchObject({ exitCode: 1, code: 'not_written' })
    expect(read('shop')).toBe('mine')
  })

  it.each(['piscina', 'constructor'])('takes %s for a name: the project does not need it', async name => {
    expect(await makeNew(name)).toBeUndefined()
    expect(JSON.parse(read(`${name}/package.json`)).name).toBe(name)
  })

  it('says the way to a folder so that a shell runs nothing of its name', async () => {
    await makeNew("it's $(touch x)", '--name', 'shop', '--json')
    expect(JSON.parse(written).next[0]).toMatch(/^cd '.*it'\\''s \$\(touch x\)'$/)
  })

  it.each([
    ['a scope', ['shop', '--name', '@me/shop']],
    ['capitals', ['shop', '--name', 'Shop']],
    ['a package that the project needs', ['zod']],
    ['a folder of signs alone', ['+++']],
  ])('refuses %s for a name, and writes nothing', async (_, [folder, ...options]) => {
    expect(await makeNew(folder!, ...options)).toMatchObject({ exitCode: 2, code: 'usage' })
    expect(readdirSync(place)).toEqual([])
  })
})
