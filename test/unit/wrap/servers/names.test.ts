import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NAMING, keysOf, nameAll } from '../../../../src/wrap/servers/names.ts'

const names = (servers: Record<string, string[]>, naming = DEFAULT_NAMING) => {
  const keys = Object.keys(servers)
  const items = keys.flatMap(key => (servers[key] ?? []).map(name => ({ key, name })))
  return [...nameAll(items, keys, naming)].map(([name, item]) => `${name}=${item.key}:${item.name}`)
}

describe('what servers are called in the names of their tools', () => {
  it('is their own name, as far as names of tools may have it, and no two are the same', () => {
    expect(
      keysOf(['files', 'My Server', 'my_server', 'My.Server', '@org/x', '日本', 'a'.repeat(60)]),
    ).toEqual(['files', 'My_Server', 'my_server', 'My_Server_2', 'org_x', 'server', 'a'.repeat(24)])
  })
})

describe('names of tools', () => {
  it('begin with their server', () => {
    expect(names({ files: ['read'], web: ['read'] })).toEqual(['files_read=files:read', 'web_read=web:read'])
    expect(names({ files: ['read'] }, { ...DEFAULT_NAMING, separator: '__' })).toEqual([
      'files__read=files:read',
    ])
    expect(names({ '': ['read'] })).toEqual(['read=:read'])
  })

  it('get a digest where they are too long with what clients put in front, and stay what they are', () => {
    const long = 'x'.repeat(80)
    const [one] = names({ files: [long] })
    const [name = ''] = one?.split('=') ?? []
    expect(`${DEFAULT_NAMING.prefix}${name}`).toHaveLength(64)
    expect(name).toMatch(/^files_x+_[0-9a-f]{6}$/)
    expect(names({ other: ['a'], files: ['b', long] })).toContain(one)
  })

  it('keep a name from the tool that has it as it is written', () => {
    const [plain, changed] = names({ a: ['get.x', 'get_x'] }).reverse()
    expect(plain).toBe('a_get_x=a:get_x')
    expect(changed).toMatch(/^a_get_x_[0-9a-f]{6}=a:get\.x$/)
    expect(names({ a: ['get.x'] })).toEqual(['a_get_x=a:get.x'])
  })

  it('never look like those of another server, whether that has such a tool or not', () => {
    const [one, other] = names({ a: ['b_c'], a_b: ['c'] })
    expect(one).toMatch(/^a_b_c_[0-9a-f]{6}=a:b_c$/)
    expect(other).toBe('a_b_c=a_b:c')
    // The server that is away has listed nothing yet: the name is the same.
    expect(names({ a: ['b_c'], a_b: [] })).toEqual([one])
  })

  it('are valid, short enough, one for each tool, and do not depend on the order of a list', () => {
    const anyName = fc.oneof(
      fc.string({ minLength: 1, maxLength: 90 }),
      fc.constantFrom('a', 'b_c', 'a.b', 'a_b', 'c'),
    )
    fc.assert(
      fc.property(
        fc.uniqueArray(anyName, { maxLength: 6 }),
        fc.uniqueArray(anyName, { maxLength: 8 }),
        (servers, tools) => {
          const keys = keysOf(servers)
          const items = keys.flatMap(key => tools.map(name => ({ key, name })))
          const named = nameAll(items, keys)
          expect(named.size).toBe(items.length)
          for (const name of named.keys())
            expect(DEFAULT_NAMING.prefix + name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
          const plain = (map: typeof named) =>
            [...map].filter(([name, item]) => name === `${item.key}_${item.name}`).map(([name]) => name)
          expect(plain(nameAll([...items].reverse(), keys)).sort()).toEqual(plain(named).sort())
        },
      ),
    )
  })
})
