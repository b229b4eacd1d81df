import { describe, expect, it } from 'vitest'
import { checkCacheName } from '../../../src/core/ref.ts'
import { nameOfCommand, nameOfEndpoint, scopeOfCommand, scopeOfEndpoint } from '../../../src/wrap/scope.ts'

describe('the name of a wrapped server', () => {
  it.each([
    [['npx', '-y', '@modelcontextprotocol/server-everything@latest', 'stdio'], 'everything'],
    [['npx', 'mcp-server-weather'], 'weather'],
    [['uvx', 'mcp-server-git', '--repository', '.'], 'git'],
    [['uv', 'run', 'my_server.py'], 'my_server'],
    [['node', '/home/me/projects/orders/dist/index.js'], 'orders'],
    [['python3', '-u', 'server.py'], 'server'],
    [['/usr/local/bin/github-mcp-server', 'stdio'], 'github'],
    [['C:\\Tools\\Search.exe'], 'search'],
    [['node'], 'node'],
    [['./ünïcödé!'], 'n-c-d'],
  ])('%j is %s', ([command = '', ...args], name) => {
    expect(nameOfCommand({ command, args })).toBe(name)
    expect(checkCacheName(name)).toBe(name)
  })

  it('is the host of an address', () => {
    expect(nameOfEndpoint({ url: new URL('https://api.example.com/mcp'), headers: {} })).toBe(
      'api.example.com',
    )
    expect(checkCacheName(nameOfEndpoint({ url: new URL('http://[::1]:80/'), headers: {} }))).toBe('1')
  })
})

describe('the scope of shared results', () => {
  const command = { command: 'node', args: ['a.js'] }

  it('differs with command, arguments, folder and environment', () => {
    const scopes = [
      scopeOfCommand(command, '/a', { TOKEN: 'x' }),
      scopeOfCommand({ ...command, args: [] }, '/a', { TOKEN: 'x' }),
      scopeOfCommand(command, '/b', { TOKEN: 'x' }),
      scopeOfCommand(command, '/a', { TOKEN: 'y' }),
      scopeOfCommand(command, '/a', {}),
    ]
    expect(new Set(scopes).size).toBe(scopes.length)
  })

  it('does not differ with what changes from one terminal to the next, nor with the order of variables', () => {
    expect(scopeOfCommand(command, '/a', { A: '1', B: '2', SHLVL: '1', npm_lifecycle_event: 'x' })).toBe(
      scopeOfCommand(command, '/a', { B: '2', A: '1', SHLVL: '2', TERM_SESSION_ID: 'y' }),
    )
  })

  it('differs with address and headers', () => {
    const url = new URL('https://example.com/mcp')
    const scopes = [{}, { authorization: 'a' }, { authorization: 'b' }].map(headers =>
      scopeOfEndpoint({ url, headers }),
    )
    expect(new Set(scopes).size).toBe(3)
    expect(scopes.join()).not.toContain('authorization')
  })
})
