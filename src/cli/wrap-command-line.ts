import { profileNamed } from '../agent/profiles.ts'
import { checkCacheName } from '../core/ref.ts'
import { createCommand, logLevelOption } from './command.ts'
import { checked, size, text, texts, time, timeOrNever, wholeNumber } from './option-values.ts'
import { WRAP_HELP } from './wrap-help.ts'
import { invalidates, memoized, storeOf, urlOf } from './wrap-values.ts'

/**
 * The options of `wrap`. They end at `--`, or at the first word that is none: launchers that start this command take a `--` for
 * their own. What comes after is the server's, whatever it looks like.
 */
export function wrapCommandLine() {
  return createCommand('wrap', ...WRAP_HELP.description)
    .usage(WRAP_HELP.usage)
    .addHelpText('after', WRAP_HELP.after)
    .argument('[command...]', 'what starts the server, with its own arguments')
    .passThroughOptions()

    .optionsGroup('The server:')
    .option('--url <url>', 'wrap a server behind Streamable HTTP instead of a command', urlOf)
    .option(
      '--url-env <variable>',
      'the same with the URL from the environment, for one that holds a secret: others can read arguments',
      text('--url-env'),
    )
    .option(
      '--header <line>',
      `sent to it, as 'Name: text'; \${VAR} is taken from the environment; may be repeated`,
      texts('--header'),
    )
    .option(
      '--header-env <line>',
      "the same with the text from the environment: 'Name: VARIABLE', or 'Authorization: Bearer VARIABLE'; may be repeated",
      texts('--header-env'),
    )
    .option(
      '--servers <file>',
      "wrap all servers of a client's own configuration: Claude, Cursor, VS Code, Codex, Zed, …",
      text('--servers'),
    )
    .option(
      '--lazy',
      'start each of them when it is first called; its tools are listed as they were last known',
    )

    .optionsGroup('Answers:')
    .option(
      '--async-timeout <time>',
      'how long a call waits before it answers with a handle (20s)',
      time('--async-timeout'),
    )
    .option(
      '--inline <tokens>',
      'up to here a result passes as it is (8000, or what the client takes)',
      wholeNumber('--inline', 0),
    )
    .option(
      '--max-size <tokens>',
      'the size of a preview of a larger one (1000, at most a twelfth of the result)',
      wholeNumber('--max-size', 1),
    )
    .option(
      '--max-answer <tokens>',
      'no answer has more, whatever is asked (25000, or what the client takes)',
      wholeNumber('--max-answer', 1),
    )
    .option('--profile <name>', 'the client that answers are made for (the one that connects)', name =>
      checked(() => profileNamed(name).name),
    )
    .option(
      '--memoize <pattern>',
      "identical calls of these tools share one result, for as long as --ttl; a name, or a pattern such as 'search_*'; may be repeated",
      memoized,
    )
    .option(
      '--invalidate <A=B>',
      "a call of tool A frees the memoized results of tool B, as in 'create_*=read_*'; may be repeated",
      invalidates,
    )
    .option(
      '--list-reserved',
      'list _fresh and _as_ref with each tool, for clients that send only what is listed',
    )
    .option(
      '--no-instructions',
      'say how references work with each tool instead, for clients that ignore instructions',
    )
    .option('--card', 'show a progress card beside each call, in clients that show MCP Apps')
    .option('--config <file>', 'settings for single tools, see below', text('--config'))

    .optionsGroup('What is kept:')
    .option(
      '--store <where>',
      "a SQLite file, or 'memory' ($XDG_CACHE_HOME/mcp-refcache/cache-3.db)",
      storeOf,
    )
    .option(
      '--max-store <size>',
      'the most that it keeps, such as 500MB; what was used least recently makes room (2GB; 512MB in memory)',
      size('--max-store'),
    )
    .option('--ttl <time>', "how long results are kept; 'never' to keep them (1h)", timeOrNever('--ttl'))
    .option(
      '--max-ttl <time>',
      'the longest that a client can have one kept, with keep_seconds (24h)',
      timeOrNever('--max-ttl'),
    )
    .option(
      '--lease <time>',
      'how long after a wrapper was killed its tasks are taken up again (30s)',
      time('--lease'),
    )
    .option('--name <name>', 'what references begin with (made from the command)', name =>
      checked(() => checkCacheName(name)),
    )
    .option(
      '--encrypt',
      'encrypt what is stored (in encrypted-3.db there); the keys are in $MCP_REFCACHE_KEYS as id:base64 of 32 bytes, the current one first, with commas between them',
    )
    .option(
      '--encrypt-key-file <file>',
      'the same with the keys from a file, a line each; it must be for this user alone (0600)',
      text('--encrypt-key-file'),
    )

    .optionsGroup('HTTP and teams:')
    .option(
      '--http <port>',
      'serve Streamable HTTP on http://127.0.0.1:PORT/mcp instead of stdio',
      wholeNumber('--http', 0),
    )
    .option(
      '--host <address>',
      'listen there instead of on 127.0.0.1; other machines can reach it then: needs --tokens',
      text('--host'),
    )
    .option(
      '--allow-origin <origin>',
      "let scripts of this web page's origin use it, such as https://app.example; exact; may be repeated (no origin)",
      texts('--allow-origin'),
    )
    .option(
      '--tokens <file>',
      'who may use --http: a line for each caller, its bearer token and its name, see below',
      text('--tokens'),
    )
    .option(
      '--quota-sessions <n>',
      'sessions of one caller at once (8); the quotas go with --tokens',
      wholeNumber('--quota-sessions', 1),
    )
    .option(
      '--quota-calls <n>',
      'calls of one caller that run or wait at once (100)',
      wholeNumber('--quota-calls', 1),
    )
    .option('--quota-bytes <size>', 'results that are kept for one caller (1GB)', size('--quota-bytes'))

    .optionsGroup('More tools, and a page:')
    .option(
      '--export-dir <folder>',
      'let results be exported to new files in this folder (no such tool)',
      text('--export-dir'),
    )
    .option(
      '--ui <port>',
      'show all that this wrapper does in your browser, live, at http://127.0.0.1:PORT; the link is in the log',
      wholeNumber('--ui', 0),
    )
    .option(
      '--audit <file>',
      'write down who asked for what, and what was decided, a line of JSON each (nothing is written)',
      text('--audit'),
    )
    .option('--admin', 'add tools that list, show and delete references; not with --http')

    .optionsGroup('Logs and help:')
    .option('--otel', 'spans and metrics by the SDK of OpenTelemetry that node loads with --import')
    .addOption(logLevelOption())
    .option('--json', 'logs as JSON lines')
}

/** What the options say. */
export type Values = ReturnType<ReturnType<typeof wrapCommandLine>['opts']>
