// Builds `dist/`: `npm run build`.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleCard } from './bundle-card.mjs'
import { bundleCommand, bundleQueryChild } from './bundle-command.mjs'
import { bundleLibrary, dropMap } from './bundle-library.mjs'
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
// Their sources are not shipped.
for (const made of ['tokens/o200k-tokens', 'agent/card-html']) dropMap(`dist/${made}.d.ts`)
await bundleLibrary()
writeThirdParty([
  'gpt-tokenizer',
  ...(await bundleCommand()),
  ...(await bundleQueryChild()),
  ...(await bundlePage()),
  ...inCard,
])
