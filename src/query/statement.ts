import { InvalidArgument } from '../core/errors.ts'

const LONGEST_STATEMENT = 100_000

/** Functions that reach beyond the tables of the asked values. */
const FORBIDDEN_FUNCTION = /^(?:load_extension|fts3_tokenizer)$/i

/** Tables that tell of SQLite itself. What a value calls so has a number behind its name. */
const FORBIDDEN_TABLE = /^(?:pragma_[a-z_]*|sqlite_dbpage)$/i

/** Words that end the list of tables after FROM. */
const AFTER_FROM = /^(?:select|where|group|having|window|order|limit|union|intersect|except)$/i

type Token = { readonly kind: 'word' | 'quoted' | 'string' | 'sign'; readonly text: string }

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
  const end = tokens.findIndex(token => isSign(token, ';'))
  if (end >= 0 && tokens.slice(end).some(token => !isSign(token, ';'))) {
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
  const forbidden = forbiddenIn(tokens)
  if (forbidden !== undefined) {
    throw new InvalidArgument(
      `${forbidden} cannot be used here: a question reaches the tables of its values alone. What tables and columns there are: select * from columns.`,
    )
  }
}

/** Whether the statement behind the tables of a WITH is no SELECT. */
function writesBehindWith(tokens: readonly Token[]): boolean {
  if (!isWord(tokens[0], /^with$/i)) return false
  let depth = 0
  for (const [at, token] of tokens.entries()) {
    if (isSign(token, '(')) depth++
    if (!isSign(token, ')') || --depth > 0) continue
    const next = tokens[at + 1]
    const goesOn = isSign(next, ',') || isWord(next, /^as$/i)
    if (next && !goesOn) return !isWord(next, /^(?:select|values)$/i)
  }
  return false
}

/** A function that is called, or a table that is asked. The same name is allowed for a column, an alias or a text. */
function forbiddenIn(tokens: readonly Token[]): string | undefined {
  const tables = tablePlaces(tokens)
  const found = tokens.find((token, at) => {
    if (token.kind === 'sign') return false
    if (tables.has(at) && FORBIDDEN_TABLE.test(token.text)) return true
    const isCalled = token.kind !== 'string' && isSign(tokens[at + 1], '(')
    return isCalled && FORBIDDEN_FUNCTION.test(token.text)
  })
  return found?.text
}

/** Where the name of a table can stand: in the lists after FROM and JOIN, and after IN. SQLite takes a string there, too. */
function tablePlaces(tokens: readonly Token[]): Set<number> {
  const places = new Set<number>()
  // One for each parenthesis that is open: whether it is within such a list.
  const lists = [false]
  for (const [at, token] of tokens.entries()) {
    const isPlace = places.has(at)
    if (isSign(token, '(')) lists.push(isPlace && !isWord(tokens[at - 1], /^in$/i))
    else if (isSign(token, ')')) lists.pop()
    else if (isWord(token, AFTER_FROM)) lists.splice(-1, 1, false)
    else if (isWord(token, /^(?:from|join)$/i) && !isWord(tokens[at - 1], /^distinct$/i))
      lists.splice(-1, 1, true)
    const inList = lists.at(-1) === true
    const opens = isWord(token, /^(?:from|join)$/i) || isSign(token, ',') || isSign(token, '(')
    if ((inList && opens) || isWord(token, /^in$/i)) places.add(at + 1)
    // main.name
    if (isPlace && isSign(tokens[at + 1], '.')) places.add(at + 2)
  }
  return places
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'sign' && token.text === sign
}

function isWord(token: Token | undefined, word: RegExp): boolean {
  return token?.kind === 'word' && word.test(token.text)
}

/** Words, quoted names and strings, and signs; comments and numbers are left out. */
function* tokensOf(sql: string): Iterable<Token> {
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(['"`])((?:(?!\1)[\s\S]|\1\1)*)(?:\1|$)|\[([^\]]*)\]|([\p{L}_][\p{L}\p{N}_$]*)|([();,.])/gu
  for (const [, quote, quoted = '', bracketed, word, sign] of sql.matchAll(pattern)) {
    if (quote !== undefined) yield { kind: quote === "'" ? 'string' : 'quoted', text: quoted }
    else if (bracketed !== undefined) yield { kind: 'quoted', text: bracketed }
    else if (word !== undefined) yield { kind: 'word', text: word }
    else if (sign !== undefined) yield { kind: 'sign', text: sign }
  }
}
