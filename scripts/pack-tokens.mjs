// Packs the o200k tokens of gpt-tokenizer into a module of the source, for `npm run build` and the tests.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

const SOURCE = new URL('../node_modules/gpt-tokenizer/package.json', import.meta.url)
const TARGET = new URL('../src/tokens/o200k-tokens.ts', import.meta.url)
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** Writes the module, unless it is there already. */
export default async function packTokens() {
  const { version, license } = JSON.parse(readFileSync(SOURCE, 'utf8'))
  const origin = `// Made by scripts/pack-tokens.mjs from gpt-tokenizer ${version} (${license}, see THIRD-PARTY.txt).`
  if (existsSync(TARGET) && readFileSync(TARGET, 'utf8').startsWith(`${origin}\n`)) return
  const { default: tokens } = await import('gpt-tokenizer/bpeRanks/o200k_base')
  const packed = brotliCompressSync(pack(tokens), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
  const lines = [
    origin,
    '/** The o200k tokens by rank: a byte of length, then the bytes. As brotli, in base64. */',
    `export const o200kTokens: string = '${packed.toString('base64')}'`,
  ]
  writeFileSync(TARGET, `${lines.join('\n')}\n`)
}

/** In order of rank, each token's length and bytes. No token is longer than 255 bytes. */
function pack(tokens) {
  return Buffer.concat(tokens.map(bytesOf).flatMap(bytes => [Buffer.of(bytes.length), bytes]))
}

function bytesOf(token) {
  const bytes = Buffer.from(token)
  // gpt-tokenizer never finds the few tokens that begin with a byte order mark. Length 0 keeps their rank free.
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? Buffer.alloc(0) : bytes
}
