// Bundles the live page for browsers: one script, one style sheet, one HTML page, all served from their own origin.
import { copyFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { packagesIn } from './bundle-command.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Gives the packages that are inside. */
export async function bundlePage() {
  const outdir = `${ROOT}dist/ui/page`
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: 'src/ui/page/main.ts', out: 'page' },
      { in: 'src/ui/page/styles/page.css', out: 'page' },
    ],
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    metafile: true,
  })
  copyFileSync(`${ROOT}src/ui/page/index.html`, `${outdir}/index.html`)
  return packagesIn(metafile)
}
