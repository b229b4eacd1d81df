import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const run = promisify(execFile)

/** Stands for the function of the package bash-completion that the script asks for the words of the line. */
const SHELL = (script: string, words: readonly string[]) => `
mcp-refcache() { '${process.execPath}' '${MAIN}' "$@"; }
_get_comp_words_by_ref() { words=(${words.map(word => `'${word}'`).join(' ')}); cur='${words.at(-1)}'; cword=${words.length - 1}; }
source '${script}'
__mcp_refcache_complete 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"
`

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcache-completion-'))
  const { stdout } = await run(process.execPath, [MAIN, 'completion', 'bash'])
  writeFileSync(join(folder, 'script.bash'), stdout)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('bash completes commands and options with the script that it is given', async () => {
  const complete = async (...words: string[]) => {
    const { stdout } = await run('bash', [
      '-c',
      SHELL(join(folder, 'script.bash'), ['mcp-refcache', ...words]),
    ])
    return stdout.trim().split('\n')
  }
  expect(await complete('wr')).toEqual(['wrap'])
  expect(await complete('wrap', '--async')).toEqual(['--async-timeout'])
})
