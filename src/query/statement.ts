import { InvalidArgument } from '../core/errors.ts'

const LONGEST_STATEMENT = 100_000

/** Names that reach beyond the tables of the asked values. */
const FORBIDDEN = /^(?:pragma_\w*|load_extension|sqlite_dbpage|readfile|writefile|edit|fts3_tokenizer)$/i

/** What a statement that changes something has after its WITH. */
const WRITES = /^(?:insert|update|delete|replace)$/i

type Token = { readonly kind: 'word' | 'quoted' | 'sign'; readonly text: string }

/**
 * Refuses what is not one SELECT (or WITH … SELECT, or VALUES) over the tables of the asked values. The child process holds the same
 * line by means of SQLite; this is what gives the clear error.
 * @throws InvalidArgument
 */
export function checkStatement(sql: string): void {
  if (sql.length > LONGEST_STATEMENT) {
    throw new InvalidArgument(
      `sql has more than ${LONGEST_STATEMENT} characters. Ask in a shorter statement.`,
    )
  }
  const tokens = [...tokensOf(sql)]
  const end = tokens.findIndex(({ text, kind }) => kind === 'sign' && text === ';')
  if (end >= 0 && tokens.slice(end).some(({ text }) => text !== ';')) {
    throw new InvalidArgument('sql holds several statements. Ask one SELECT at a time.')
  }
  const first = tokens[0]?.text ?? ''
  if (!/^(?:select|with|values)$/i.test(first) || writesBehindWith(tokens)) {
    throw new InvalidArgument(
      `sql is one SELECT statement (WITH … SELECT and VALUES work, too): values can be asked here, never changed.${
        /^pragma$/i.test(first) ? ' What tables and columns there are: select * from columns.' : ''
      }`,
    )
  }
  const forbidden = tokens.find(({ kind, text }) => kind !== 'sign' && FORBIDDEN.test(text))
  if (forbidden) {
    throw new InvalidArgument(
      `${forbidden.text} cannot be used here: a question reaches the tables of its values alone. What tables and columns there are: select * from columns.`,
    )
  }
}

function writesBehindWith(tokens: readonly Token[]): boolean {
  if (!/^with$/i.test(tokens[0]?.text ?? '')) return false
  let depth = 0
  for (const [at, { kind, text }] of tokens.entries()) {
    if (text === '(') depth++
    else if (text === ')') depth--
    // `replace` is a function, too.
    else if (depth === 0 && kind === 'word' && WRITES.test(text) && tokens[at + 1]?.text !== '(') return true
  }
  return false
}

/** Words, quoted names and strings, and signs; comments and numbers are left out. */
function* tokensOf(sql: string): Iterable<Token> {
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(['"`])((?:(?!\1)[\s\S]|\1\1)*)(?:\1|$)|\[([^\]]*)\]|([\p{L}_][\p{L}\p{N}_$]*)|([();,.])/gu
  for (const [, quote, quoted = '', bracketed, word, sign] of sql.matchAll(pattern)) {
    if (quote !== undefined) yield { kind: 'quoted', text: quoted }
    else if (bracketed !== undefined) yield { kind: 'quoted', text: bracketed }
    else if (word !== undefined) yield { kind: 'word', text: word }
    else if (sign !== undefined) yield { kind: 'sign', text: sign }
  }
}
