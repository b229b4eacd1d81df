// Bundles the command with all that it uses, in chunks that load when they are needed, and the process that answers questions.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** For dependencies that are CommonJS: they require modules of Node. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** The token table is large and there already, for the library. */
const tokenTable = {
  name: 'token-table',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/o200k-tokens\.ts$/ }, () => ({
      path: '../tokens/o200k-tokens.js',
      external: true,
    })),
}

/** Removes the declarations of `cli/`, `clients/` and `wrap/`, which are not exported. Gives the packages that are inside. */
export async function bundleCommand() {
  for (const folder of ['dist/cli', 'dist/clients', 'dist/wrap'])
    rmSync(`${ROOT}${folder}`, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist/cli',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // The other form of jsonc-parser cannot be bundled.
    mainFields: ['module', 'main'],
    target: 'node20',
    banner: { js: REQUIRE },
    // The first has a binary, and is needed only where Node has no SQLite of its own; the others only workers need.
    external: ['@opentelemetry/api', '@photostructure/sqlite', 'bullmq', '@redis/client'],
    plugins: [tokenTable],
    minify: true,
    legalComments: 'none',
    metafile: true,
  })
  return packagesIn(metafile)
}

/** Makes the process that answers questions in SQL one file, which needs no other. Gives the packages that are inside. */
export async function bundleQueryChild() {
  rmSync(`${ROOT}dist/query/child`, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/query/child/main.ts'],
    outfile: 'dist/query/child.mjs',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['@photostructure/sqlite'],
    minify: true,
    legalComments: 'none',
    metafile: true,
  })
  return packagesIn(metafile)
}

/** The packages that a bundle holds code of. */
export function packagesIn({ inputs }) {
  return Object.keys(inputs).flatMap(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
}
