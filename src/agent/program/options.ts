import type { Actor } from '../../access/actor.ts'
import type { Duration } from '../../core/duration.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { checkNames, type Names } from '../../core/options.ts'
import {
  CACHING_OPTIONS,
  type CachingOptions,
  TOOL_LISTING_OPTIONS,
  type ToolListingOptions,
} from '../caching.ts'
import { checkLimits } from '../limits.ts'
import { checkScoping, SCOPING, type Scoping } from '../scoping.ts'
import { OWN_TOOL_OPTIONS, type OwnToolOptions } from '../tools/own-tools.ts'

/** How one tool of the set goes through the cache; what it says wins over what is said for the whole set. */
export interface ProgramToolOptions extends Omit<CachingOptions, 'executor' | 'run' | 'verbatim'>, Scoping {
  /** @defaultValue that of the set: '20s' */
  asyncTimeout?: Duration | undefined
  /**
   * Whether the tool only reads: identical calls of one caller then share a run that is in flight.
   * @defaultValue the `readOnlyHint` of a tool that comes from a server of MCP, else false
   */
  readOnly?: boolean | undefined
}

const { executor: _executor, run: _run, verbatim: _verbatim, ...CACHED_HERE } = CACHING_OPTIONS

const TOOL_OPTIONS: Names<ProgramToolOptions> = {
  ...CACHED_HERE,
  ...SCOPING,
  asyncTimeout: true,
  readOnly: true,
}

/**
 * Options of a set of tools in an agent's own program, the same for every SDK.
 * @typeParam Call what the SDK says of a call
 */
export interface ProgramOptions<Name extends string = string, Call = never>
  extends Scoping,
    ToolListingOptions,
    OwnToolOptions {
  /**
   * How long a tool's call waits before it answers with a handle; it never stops the work.
   * @defaultValue '20s'
   */
  asyncTimeout?: Duration | undefined
  /** Up to so many tokens a result passes as the tool gave it; a larger one becomes a preview. @defaultValue 8000 */
  inline?: number | undefined
  /** No answer has more tokens, whatever the model asks for. @defaultValue 25000 */
  answerCeiling?: number | undefined
  /**
   * Who calls, where the set is made for one caller: in the handler of a request, say. Tools of such a set may hold what is that
   * caller's alone, so a failed call is not run again by its reference: the model calls the tool again.
   * @defaultValue one and the same anonymous agent
   */
  actor?: Actor | undefined
  /**
   * Who calls, where one set serves many callers. `undefined`: nobody is known, and what such a call makes is for nobody else.
   * @defaultValue `actor`
   */
  actorOf?: ((call: Call) => Actor | undefined) | undefined
  /** More about single tools, by name. */
  perTool?: { readonly [Tool in Name]?: ProgramToolOptions | undefined } | undefined
}

export const PROGRAM_OPTIONS: Names<ProgramOptions> = {
  ...SCOPING,
  ...TOOL_LISTING_OPTIONS,
  ...OWN_TOOL_OPTIONS,
  asyncTimeout: true,
  inline: true,
  answerCeiling: true,
  actor: true,
  actorOf: true,
  perTool: true,
}

/** @throws InvalidArgument */
export function checkProgramOptions(options: ProgramOptions): void {
  if (options.actor !== undefined && options.actorOf !== undefined) {
    throw new InvalidArgument('Give either an actor, for a set of one caller, or actorOf, for a set of many.')
  }
  checkScoping(options)
  checkLimits({ inlineLimit: options.inline, answerCeiling: options.answerCeiling })
  for (const [name, own] of Object.entries(options.perTool ?? {})) {
    if (own === undefined) continue
    checkNames<object>(own, TOOL_OPTIONS, `perTool.${name}`)
    checkScoping(own)
  }
}
