// Builds `dist/`: `npm run build`.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleCard } from './bundle-card.mjs'
import { bundleCommand, bundleQueryChild } from './bundle-command.mjs'
import { bundlePage } from './bundle-page.mjs'
import packTokens from './pack-tokens.mjs'
import { writeThirdParty } from './third-party.mjs'

const path = name => fileURLToPath(new URL(`../${name}`, import.meta.url))

rmSync(path('dist'), { recursive: true, force: true })
await packTokens()
const inCard = await bundleCard()
const compiled = spawnSync(
  process.execPath,
  [path('node_modules/typescript/bin/tsc'), '-p', path('tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
)
if (compiled.status !== 0) process.exit(1)
for (const made of ['dist/tokens/o200k-tokens', 'dist/agent/card-html']) {
  dropMap(`${made}.js`)
  dropMap(`${made}.d.ts`)
}
writeThirdParty([
  'gpt-tokenizer',
  ...(await bundleCommand()),
  ...(await bundleQueryChild()),
  ...(await bundlePage()),
  ...inCard,
])

/** What scripts make is not shipped a second time as a source, so nothing may point at it. */
function dropMap(name) {
  writeFileSync(path(name), readFileSync(path(name), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''))
  rmSync(path(`${name}.map`))
}
