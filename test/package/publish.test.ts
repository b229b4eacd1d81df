import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackExtension } from '@anthropic-ai/mcpb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { wrapCommandLine } from '../../src/cli/wrap-command-line.ts'
import { REPOSITORY } from './source-files.ts'

/** What a publisher hands on: `server.json` for the registry of MCP servers, and the bundle for clients that install by a click. */
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
const manifest = read(join(REPOSITORY, 'package.json'))
const server = read(join(REPOSITORY, 'server.json'))

const shortText = z.string().min(1).max(100)

/** The rules of the registry's schema of 2025-12-11, for the fields that stand in ours. Others are refused. */
const ServerJson = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: shortText,
  description: shortText,
  version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
  websiteUrl: z.url(),
  repository: z.strictObject({ url: z.url(), source: z.string() }),
  packages: z.array(
    z.strictObject({
      registryType: z.literal('npm'),
      identifier: z.string(),
      version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
      runtimeHint: z.literal('npx'),
      transport: z.strictObject({ type: z.literal('stdio') }),
      packageArguments: z.array(
        z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('positional'), value: z.string() }),
          z.strictObject({
            type: z.literal('named'),
            name: z.string().startsWith('--'),
            description: z.string(),
            format: z.enum(['string', 'number', 'boolean', 'filepath']),
            isRequired: z.boolean(),
          }),
        ]),
      ),
    }),
  ),
})

describe('server.json', () => {
  it('is what the registry takes', () => {
    expect(ServerJson.safeParse(server).error).toBeUndefined()
  })

  it('says the same as package.json, where the name stands once more for the registry to compare', () => {
    expect(server).toMatchObject({ name: manifest.mcpName, version: manifest.version })
    expect(server.packages).toMatchObject([{ identifier: manifest.name, version: manifest.version }])
    expect(server.repository.url).toBe(manifest.repository.url.replace(/^git\+|\.git$/g, ''))
    expect(server.name.split('/')[1]).toBe(manifest.name)
  })

  it('starts a command that there is', () => {
    const [command, ...options] = server.packages[0].packageArguments
    expect(command.value).toBe('wrap')
    const known = wrapCommandLine().options.map(({ long }) => long)
    for (const { name } of options) expect(known).toContain(name)
  })
})

describe('the bundle', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'refcache-bundle-'))
    const file = join(folder, 'made.mcpb')
    await promisify(execFile)(process.execPath, [join(REPOSITORY, 'scripts/mcpb.mjs'), file])
    await unpackExtension({ mcpbPath: file, outputDir: join(folder, 'unpacked'), silent: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const inside = (path: string) => join(folder, 'unpacked', path)

  it('says the same as package.json, and starts as server.json does', () => {
    const { name, version, server: start } = read(inside('manifest.json'))
    expect({ name, version }).toEqual({ name: manifest.name, version: manifest.version })
    expect(existsSync(inside(start.entry_point))).toBe(true)
    const words = server.packages[0].packageArguments.map(
      ({ value, name }: { value?: string; name: string }) => value ?? name,
    )
    expect(start.mcp_config.args.slice(1, -1)).toEqual(words)
  })

  it('runs where nothing is installed', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [inside('dist/cli/main.js'), '--version'])
    expect(stdout.trim()).toBe(manifest.version)
    const { stdout: help } = await promisify(execFile)(process.execPath, [
      inside('dist/cli/main.js'),
      'wrap',
      '--help',
    ])
    expect(help).toContain('Usage: mcp-refcache wrap')
  })
})
