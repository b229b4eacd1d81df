import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endOfParsing } from '../../../src/cli/command.ts'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { createProgram } from '../../../src/cli/program.ts'

let written = ''
beforeEach(() => {
  written = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    written += text
    return true
  })
  vi.spyOn(console, 'log').mockImplementation(line => {
    written += `${line}\n`
  })
})
afterEach(() => void vi.restoreAllMocks())

/** The exit code, and what stdout got. */
async function run(...argv: string[]): Promise<{ code: number; stdout: string }> {
  const program = await createProgram(argv)
  const code = await program.parseAsync(argv, { from: 'user' }).then(() => 0, endOfParsing)
  return { code, stdout: written }
}

describe('the table of commands', () => {
  it.each(Object.entries(COMMANDS))(
    '%s: one line of summary, and a help that teaches',
    async (name, entry) => {
      expect(entry.summary).toMatch(/^[a-z][^\n.]{10,80}$/)
      const command = await entry.load()
      expect(command.name()).toBe(name)
      const { code, stdout } = await run(name, '--help')
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`^Usage: mcp-refcache ${name} `))
      expect(stdout).toMatch(/^Examples?:\n {2}/m)
      expect(stdout).toMatch(/^Exit codes:\n/m)
      expect(stdout).toContain('  2    ')
    },
  )

  it.each(Object.entries(COMMANDS))('%s: every option says what it is for', async (_, { load }) => {
    const { options } = await load()
    const silent = options.filter(
      ({ description, long }) => description.length < 8 || !long?.startsWith('--'),
    )
    expect(silent.map(({ flags }) => flags)).toEqual([])
  })
})

describe('help', () => {
  it('lists every command, and gives that of one in either form', async () => {
    const { stdout } = await run('--help')
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} .*${summary}`, 'm'))
    }
    written = ''
    const { stdout: asked } = await run('help', 'wrap')
    written = ''
    expect((await run('wrap', '--help')).stdout).toBe(asked)
  })
})

describe('words that are wrong', () => {
  it.each([
    [['warp'], "Unknown command 'warp'. Did you mean wrap? See --help."],
    [
      ['wrap', '--asinc-timeout', '5s', '--', 'x'],
      "Unknown option '--asinc-timeout'. Did you mean --async-timeout?",
    ],
    [['--vresion'], "Unknown option '--vresion'. Did you mean --version?"],
    [['nothing-like-it'], "Unknown command 'nothing-like-it'. See --help."],
    [['wrap', '--name'], "Option '--name <name>' argument missing. See --help."],
    [['completion', 'tcsh'], 'zsh, bash, fish'],
  ])('%j', async (argv, message) => {
    await expect(run(...argv)).rejects.toMatchObject({
      exitCode: 2,
      code: 'usage',
      message: expect.stringContaining(message),
    })
  })
})

describe('completion', () => {
  const offered = async (...words: string[]) => {
    written = ''
    const { stdout } = await run('complete', '--', ...words)
    return stdout.split('\n').map(line => line.split('\t')[0])
  }

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s that asks the command', async shell => {
    const { code, stdout } = await run('completion', shell)
    expect(code).toBe(0)
    expect(stdout).toContain('mcp-refcache')
    expect(stdout).toContain('complete --')
  })

  it('offers commands, options and choices, each with a line that says what it is', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining([...Object.keys(COMMANDS), 'completion']))
    expect(await offered('wrap', '--max-')).toEqual(
      expect.arrayContaining(['--max-size', '--max-answer', '--max-store', '--max-ttl']),
    )
    expect(await offered('wrap', '--log-level', 'w')).toContain('warn')
    written = ''
    expect((await run('complete', '--', 'wr')).stdout).toBe(`wrap\t${COMMANDS.wrap?.summary}\n:4\n`)
  })
})
