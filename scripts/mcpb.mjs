// Packs the command as a bundle for clients that install one by a click: `npm run mcpb`, after a build. Publishing is not done here.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packExtension } from '@anthropic-ai/mcpb'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const { name, version, description, keywords, license, homepage, bugs, repository, bin, engines } =
  JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))

/** The command, and what it loads beside itself; package.json tells its version. */
const FILES = [
  'package.json',
  'LICENSE',
  'THIRD-PARTY.txt',
  'dist/cli',
  'dist/tokens/o200k-tokens.js',
  'dist/query/child.mjs',
]

const main = bin[name].replace(/^\.\//, '')

const manifest = {
  manifest_version: '0.3',
  name,
  display_name: name,
  version,
  description,
  author: { name: `the ${name} authors`, url: homepage },
  repository: { type: repository.type, url: repository.url.replace(/^git\+|\.git$/g, '') },
  homepage,
  support: bugs,
  license,
  keywords,
  server: {
    type: 'node',
    entry_point: main,
    mcp_config: {
      command: 'node',
      args: [`\${__dirname}/${main}`, 'wrap', '--servers', `\${user_config.servers}`],
    },
  },
  // They are those of the servers that it wraps.
  tools_generated: true,
  prompts_generated: true,
  user_config: {
    servers: {
      type: 'file',
      title: 'Servers',
      description:
        'A file with the MCP servers to wrap, in the form of a client’s own configuration (mcpServers)',
      required: true,
    },
  },
  compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
}

const target = resolve(process.argv[2] ?? join(ROOT, `${name}-${version}.mcpb`))
const folder = mkdtempSync(join(tmpdir(), 'refcache-mcpb-'))
try {
  for (const file of FILES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(ROOT, file), join(folder, file), { recursive: true })
  }
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  // Validates the manifest first.
  if (!(await packExtension({ extensionPath: folder, outputPath: target, silent: true }))) process.exit(1)
  console.log(target)
} finally {
  rmSync(folder, { recursive: true })
}
