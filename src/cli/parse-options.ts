import { type ParseArgsConfig, parseArgs } from 'node:util'
import { suggest } from '../core/suggest.ts'
import { usage } from './exit.ts'

type Options = NonNullable<ParseArgsConfig['options']>

type Parsed<Known extends Options> = ReturnType<
  typeof parseArgs<{ options: Known; strict: true; allowPositionals: false }>
>['values']

/** What the options say, as text. @throws CommandFailed for an option that there is not, or that is not written so */
export function parseOptions<Known extends Options>(argv: readonly string[], options: Known): Parsed<Known> {
  rejectUnknown(argv, Object.keys(options))
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

function rejectUnknown(argv: readonly string[], known: readonly string[]): void {
  for (const argument of argv) {
    const name = /^--([^=]+)/.exec(argument)?.[1]
    if (name === undefined || known.includes(name)) continue
    const meant = suggest(name, known)
    throw usage(`There is no option --${name}.${meant ? ` Did you mean --${meant}?` : ''} See --help.`)
  }
}
