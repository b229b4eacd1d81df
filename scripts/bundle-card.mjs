// Bundles the progress card into a module of the source, for `npm run build` and the tests.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { packagesIn } from './bundle-command.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = `${ROOT}src/card/`
const TARGET = `${ROOT}src/agent/card-html.ts`

/** Before the tests. */
export async function setup() {
  await bundleCard()
}

/** Writes the module, where it is not so already. Gives the packages that are inside. */
export async function bundleCard() {
  const [script, style] = await Promise.all([bundled('main.ts'), bundled('card.css')])
  const html = readFileSync(`${SOURCE}card.html`, 'utf8')
    // `</script` would end the element; a function keeps `$&` and its like as they are.
    .replace('/* script */', () => script.text.trim().replaceAll('</script', '<\\/script'))
    .replace('/* style */', () => style.text.trim())
  const lines = [
    '// Made by scripts/bundle-card.mjs from src/card.',
    '/** The progress card: one page without anything outside of it. */',
    `export const cardHtml: string = ${JSON.stringify(html)}`,
  ]
  const made = `${lines.join('\n')}\n`
  if (!existsSync(TARGET) || readFileSync(TARGET, 'utf8') !== made) writeFileSync(TARGET, made)
  return script.packages
}

async function bundled(entry) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`${SOURCE}${entry}`],
    outdir: ROOT,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    metafile: true,
  })
  return { text: outputFiles[0].text, packages: packagesIn(metafile) }
}
