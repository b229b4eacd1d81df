// Bundles what users import: one file for each entry point, and chunks for what they share.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Files that are started or loaded by their path. */
const BY_PATH = ['execution/threads/worker', 'tokens/o200k-tokens']

/** The entry points of the package, by their path in `src/` and `dist/`. */
function entryPoints() {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  const exported = Object.values(exports)
    .filter(target => typeof target === 'object')
    .map(target => target.default.replace(/^\.\/dist\/(.*)\.js$/, '$1'))
  return [...exported, ...BY_PATH].map(out => ({ in: `src/${out}.ts`, out }))
}

/** Modules that scripts make. They are not shipped a second time as a source, so no map may point at them. */
const MADE = ['src/tokens/o200k-tokens.ts', 'src/agent/card-html.ts']

/**
 * A server that imports 280 modules needs 0.6 s of CPU to start; from a few files it is half of that. Chunks lie one folder deep,
 * like the modules in `src/` that look for a file that was built.
 */
export async function bundleLibrary() {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entryPoints(),
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
  })
  for (const [path, { inputs }] of Object.entries(metafile.outputs)) {
    if (path.endsWith('.js') && MADE.includes(Object.keys(inputs)[0])) dropMap(path)
  }
}

/** Takes the source map from a file in `dist/`. */
export function dropMap(path) {
  const file = `${ROOT}${path}`
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''))
  rmSync(`${file}.map`)
}
