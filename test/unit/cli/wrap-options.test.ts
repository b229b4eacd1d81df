import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { CommandFailed, EXIT } from '../../../src/cli/exit.ts'
import type { WrapArguments } from '../../../src/cli/wrap-options.ts'
import { suggest } from '../../../src/core/suggest.ts'
import { parseWrapLine } from '../../e2e/fixtures/wrap-line.ts'

async function parse(...argv: string[]): Promise<WrapArguments> {
  return parseWrapLine(argv, { TOKEN: 'secret' })
}

describe('the arguments of wrap', () => {
  it('name memoized tools beside those of the config, whose other settings stay', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'wrap-options-')), 'config.json')
    writeFileSync(path, JSON.stringify({ tools: { 'get_*': { ttl: '5m' }, get_time: { memoize: false } } }))
    const { settings } = await parse('--memoize', 'get_*', '--memoize', 'search', '--config', path, '--', 'x')
    expect(settings.tools).toEqual({
      'get_*': { ttl: '5m', memoize: true },
      get_time: { memoize: false },
      search: { memoize: true },
    })
    for (const wrong of ['', 'two words']) {
      await expect(parse('--memoize', wrong, '--', 'x')).rejects.toThrow(CommandFailed)
    }
  })

  it('say which calls make memoized results outdated', async () => {
    const { settings } = await parse(
      '--memoize',
      'read_*',
      '--invalidate',
      'create_*=read_*',
      '--invalidate',
      'a=b',
      '--',
      'x',
    )
    expect(settings.tools).toEqual({
      'read_*': { memoize: true },
      'create_*': { invalidates: ['read_*'] },
      a: { invalidates: ['b'] },
    })
    for (const wrong of ['create', '=b', 'a=', 'a=b=c', 'a = b']) {
      await expect(parse('--invalidate', wrong, '--', 'x')).rejects.toThrow(CommandFailed)
    }
  })

  it.each([
    [{ tools: { a: { memoise: true } } }, /tools\.a: there is no 'memoise'; did you mean 'memoize'\?/],
    [{ default: {} }, /there is no 'default'; did you mean 'defaults'\?/],
    [{ defaults: { colour: 1 } }, /defaults: there is no 'colour'; there are asyncTimeout, /],
    [{ allowOrigin: ['null'] }, /allowOrigin.*sandboxed/],
    [{ allowOrigin: 'https://*.example' }, /allowOrigin.*name each origin/],
    [{ allowOrigin: 7 }, /allowOrigin: must be an origin, or a list of origins/],
  ])('refuse the config %j with what there is', async (config, message) => {
    const path = join(mkdtempSync(join(tmpdir(), 'wrap-options-')), 'config.json')
    writeFileSync(path, JSON.stringify(config))
    await expect(parse('--config', path, '--', 'x')).rejects.toThrow(message)
  })

  it('have sensible defaults', async () => {
    expect(await parse('--', 'npx', '-y', 'server', '--http')).toEqual({
      target: { command: { command: 'npx', args: ['-y', 'server', '--http'] } },
      settings: { defaults: { asyncTimeout: '20s' }, tools: {} },
      maxSize: undefined,
      ttl: undefined,
      name: undefined,
      store: undefined,
      maxStore: undefined,
      http: undefined,
      admin: false,
      ui: undefined,
      audit: undefined,
      otel: false,
      logLevel: 'info',
      json: false,
    })
  })

  it.each([
    [['npx', '-y', 'server', '--http', '--', 'x'], 'npx', ['-y', 'server', '--http', '--', 'x']],
    [['--name', 'x', '--json', 'node', '--name', 'y'], 'node', ['--name', 'y']],
    [['--name=x', 'node'], 'node', []],
    [['--async-timeout', '5s', '--', '--odd'], '--odd', []],
  ])('end at the first word that is none, as launchers swallow the --: %j', async (argv, command, args) => {
    expect((await parse(...argv)).target).toEqual({ command: { command, args } })
  })

  it('are all taken', async () => {
    const args = await parse(
      ...[
        '--async-timeout',
        '5s',
        '--max-size',
        '50',
        '--store',
        'memory',
        '--max-store',
        '500MB',
        '--ttl',
        'never',
        '--name',
        'x',
      ],
      ...['--http', '8080', '--host', '::1', '--log-level', 'debug', '--json', '--', 'a'],
    )
    expect(args).toMatchObject({
      settings: { defaults: { asyncTimeout: '5s' } },
      maxSize: 50,
      store: 'memory',
      maxStore: 500 * 1024 * 1024,
      ttl: null,
      name: 'x',
      http: { port: 8080, host: '::1' },
      logLevel: 'debug',
      json: true,
    })
  })

  it('allow origins over HTTP, from the line and from the config', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'wrap-options-')), 'config.json')
    writeFileSync(path, JSON.stringify({ allowOrigin: ['https://a.example', 'https://b.example'] }))
    const http = ['--http', '8080', '--allow-origin', 'https://c.example', '--', 'x']
    expect((await parse(...http)).http?.allowOrigins).toEqual(['https://c.example'])
    expect((await parse('--config', path, ...http)).http?.allowOrigins).toEqual([
      'https://a.example',
      'https://b.example',
      'https://c.example',
    ])
    writeFileSync(path, JSON.stringify({ allowOrigin: 'https://a.example' }))
    expect((await parse('--config', path, '--http', '1', '--', 'x')).http?.allowOrigins).toEqual([
      'https://a.example',
    ])
    expect((await parse('--config', path, '--', 'x')).http).toBeUndefined()
    await expect(parse('--allow-origin', 'https://a.example', '--', 'x')).rejects.toThrow(/--http/)
    await expect(parse('--http', '1', '--allow-origin', '*', '--', 'x')).rejects.toThrow(/name each origin/)
  })

  it('say who may use it over HTTP: nobody is let in from other machines without', async () => {
    const http = ['--http', '8080', '--host', '0.0.0.0']
    for (const host of ['0.0.0.0', '192.168.0.7', '::', 'server.example']) {
      await expect(parse('--http', '1', '--host', host, '--', 'x')).rejects.toThrow(
        /--tokens FILE: a line for each/,
      )
    }
    for (const host of ['127.0.0.1', '127.0.0.9', 'localhost', '::1']) {
      expect((await parse('--http', '1', '--host', host, '--', 'x')).http?.host).toBe(host)
    }
    const quotas = ['--quota-sessions', '2', '--quota-calls', '5', '--quota-bytes', '500MB']
    expect((await parse(...http, '--tokens', 'file', ...quotas, '--', 'x')).http).toMatchObject({
      host: '0.0.0.0',
      tokens: 'file',
      quota: { sessions: 2, calls: 5, bytes: 500 * 1024 ** 2 },
    })
    await expect(parse('--tokens', 'file', '--', 'x')).rejects.toThrow('--tokens goes with --http.')
    await expect(parse('--http', '1', '--quota-calls', '5', '--', 'x')).rejects.toThrow(/goes with --tokens/)
    await expect(parse(...http, '--tokens', 'f', '--quota-bytes', '1TB', '--', 'x')).rejects.toThrow(
      /500MB or 2GB/,
    )
  })

  it('take 0 for a handle at once, and no other bare number for a time', async () => {
    expect((await parse('--async-timeout', '0', '--', 'a')).settings.defaults.asyncTimeout).toBe(0)
    await expect(parse('--async-timeout', '5', '--', 'a')).rejects.toThrow(/500ms, 20s/)
  })

  it('take headers, with variables from the environment', async () => {
    const { target } = await parse(
      '--url',
      'https://a.b/mcp',
      '--header',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the option's own syntax
      'Authorization: Bearer ${TOKEN}',
      '--header',
      'X-A:b:c',
    )
    expect(target).toEqual({
      endpoint: {
        url: new URL('https://a.b/mcp'),
        headers: { Authorization: 'Bearer secret', 'X-A': 'b:c' },
      },
    })
    await expect(parse('--url', 'https://a.b', '--header', 'no colon')).rejects.toThrow(CommandFailed)
    await expect(parse('--header', 'A: b', '--', 'x')).rejects.toThrow(/--url/)
  })

  it('take headers from variables by name, with a word before', async () => {
    const { target } = await parse(
      '--url',
      'https://a.b/mcp',
      '--header-env',
      'Authorization: Bearer TOKEN',
      '--header-env',
      'X-A: TOKEN',
    )
    expect(target).toMatchObject({
      endpoint: { headers: { Authorization: 'Bearer secret', 'X-A': 'secret' } },
    })
    await expect(parse('--url', 'https://a.b', '--header-env', 'A: NOT_SET')).rejects.toThrow(/NOT_SET/)
    await expect(parse('--url', 'https://a.b', '--header-env', 'A: two words more')).rejects.toThrow(
      /is written/,
    )
    await expect(parse('--header-env', 'A: TOKEN', '--', 'x')).rejects.toThrow(/goes with --url/)
  })

  it('take the URL from a variable, and say nothing of its value', async () => {
    const env = { ADDRESS: 'https://a.b/mcp?key=s3cr3t', WRONG: 's3cr3t' }
    const { target } = await parseWrapLine(['--url-env', 'ADDRESS', '--header', 'A: b'], env)
    expect(target).toMatchObject({ endpoint: { url: new URL(env.ADDRESS), headers: { A: 'b' } } })
    const wrong = parseWrapLine(['--url-env', 'WRONG'], env)
    await expect(wrong).rejects.toThrow(CommandFailed)
    await expect(wrong).rejects.not.toThrow(/s3cr3t/)
    await expect(parse('--url-env', 'NOT_SET')).rejects.toThrow(/NOT_SET/)
    await expect(parseWrapLine(['--url-env', 'ADDRESS', '--', 'x'], env)).rejects.toThrow(/not both/)
  })

  it('take --admin on stdio, and refuse it over HTTP in words that say why', async () => {
    expect((await parse('--admin', '--', 'a')).admin).toBe(true)
    expect((await parse('--', 'a', '--admin')).admin).toBe(false)
    await expect(parse('--admin', '--http', '8080', '--', 'a')).rejects.toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/--admin.*stdio.*--http/) }),
    )
  })

  it('show help whatever else is said', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      await expect(parse('--help')).rejects.toThrow('ended with 0')
      await expect(parse('-h', '--wrong', '--', 'x')).rejects.toThrow('ended with 0')
      expect(written.mock.calls.flat().join('')).toContain('--async-timeout <time>')
    } finally {
      written.mockRestore()
    }
  })

  it.each([
    [['--http', '70000', '--', 'a']],
    [['--http', 'x', '--', 'a']],
    [['--host', '::1', '--', 'a']],
    [['--max-size', '1.5', '--', 'a']],
    [['--store', '--', 'a']],
    [['--']],
  ])('%j are refused with exit code 2', async argv => {
    await expect(parse(...argv)).rejects.toThrow(expect.objectContaining({ exitCode: 2, code: 'usage' }))
  })
})

it('a suggestion is made where one is close', async () => {
  const known = ['async-timeout', 'max-size', 'store', 'ttl', 'url']
  expect(suggest('asynctimeout', known)).toBe('async-timeout')
  expect(suggest('stroe', known)).toBe('store')
  expect(suggest('verbose', known)).toBeUndefined()
})

describe('--store', () => {
  const storeOf = async (where: string) => {
    return (await parse('--store', where, '--', 'x')).store
  }

  it.each([
    ['Memory', 'memory'],
    ['./sqlite', './sqlite'],
    ['/tmp/a.db', '/tmp/a.db'],
  ])('%s is %s', async (where, store) => {
    expect(await storeOf(where)).toBe(store)
  })

  it.each(['redis://localhost', 'redis', 'sqlite', 'sqlite://x.db', ''])(
    '%j is refused, not made a file',
    async where => {
      await expect(storeOf(where)).rejects.toThrow(/--store takes/)
    },
  )
})

describe('--encrypt', () => {
  const keysOf = async (env: Record<string, string>, ...argv: string[]) => {
    return (await parseWrapLine([...argv, '--', 'x'], env)).keys
  }
  const KEY = Buffer.alloc(32, 7).toString('base64')

  it('takes the keys from the environment, and only when it is given', async () => {
    const keys = await keysOf({ MCP_REFCACHE_KEYS: `a:${KEY}` }, '--encrypt')
    expect(await (keys as () => unknown)()).toMatchObject({ id: 'a' })
    expect(await keysOf({ MCP_REFCACHE_KEYS: 'nonsense' })).toBeUndefined()
  })

  it.each([[{}], [{ MCP_REFCACHE_KEYS: `${KEY}` }]])(
    'is refused without good keys, which are not shown',
    async env => {
      const refused = expect.objectContaining({ exitCode: 2, message: expect.not.stringContaining(KEY) })
      await expect(keysOf(env, '--encrypt')).rejects.toThrow(refused)
      await expect(keysOf(env, '--encrypt')).rejects.toThrow(/MCP_REFCACHE_KEYS/)
    },
  )
})

describe('what the command line gets wrong is a mistake in its use, which the answer names', () => {
  it.each<[string[], RegExp]>([
    [['--asinc-timeout', '5s', '--', 'x'], /Did you mean --async-timeout\?/],
    [['--async-timeout', 'soon', '--', 'x'], /--async-timeout takes a time/],
    [['--max-size', '0', '--', 'x'], /--max-size takes a whole number/],
    [['--log-level', 'inof', '--', 'x'], /Did you mean info\?/],
    [['--name', 'a b', '--', 'x'], /A cache name is/],
    [['--url', 'ftp://x'], /--url takes/],
    [['--url', 'http://x', '--', 'x'], /not both/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the option's own syntax
    [['--url', 'http://x', '--header', 'A: ${NOT_SET_ANYWHERE}'], /NOT_SET_ANYWHERE/],
    [['--config', '/does/not/exist.json', '--', 'x'], /cannot be read/],
  ])('%j', async (args, message) => {
    await expect(parseWrapLine(args, {})).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringMatching(message),
    })
  })

  it.each([
    ['{"tools": {"a": {"asyncTimeout": "soon"}}}', /tools\.a\.asyncTimeout: must be/],
    ['{"tools": {"a": {"memoise": true}}}', /tools\.a: .*memoise/],
    ['{"defaults": ', /is not JSON/],
  ])('a config file with %s', async (content, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
    const path = join(folder, 'config.json')
    writeFileSync(path, content)
    await expect(parseWrapLine(['--config', path, '--', 'x'], {})).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringMatching(message),
    })
    rmSync(folder, { recursive: true })
  })
})
