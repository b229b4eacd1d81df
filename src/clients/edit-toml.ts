import { parse, patch } from '@decimalturn/toml-patch'
import type { Change } from './change.ts'

/**
 * The text of a TOML file with the changes made. A comment that stood with what goes is put above its table, or at the end of the
 * file where the whole table goes. Pure.
 *
 * @param changed makes the changes in what the text says
 */
export function editToml(
  text: string,
  changes: readonly Change[],
  changed: (root: object, changes: readonly Change[]) => object,
): string {
  return changes.reduce((before, change) => {
    const after = patch(before, changed(parse(before), [change]))
    const left = [...commentsIn(after)]
    const lost = commentsIn(before).filter(comment => {
      const at = left.indexOf(comment)
      if (at >= 0) left.splice(at, 1)
      return at < 0
    })
    return lost.length === 0 ? after : withComments(after, lost, change.place)
  }, text)
}

function withComments(text: string, comments: readonly string[], place: readonly string[]): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = comments.map(comment => `${comment}${eol}`).join('')
  const header = [...text.matchAll(/^[ \t]*\[[^[\]\r\n]+\]/gm)].find(([line]) => isTableOf(line, place))
  if (header) return `${text.slice(0, header.index)}${lines}${text.slice(header.index)}`
  return `${text}${/\n$/.test(text) || text === '' ? '' : eol}${lines}`
}

/** Whether a line begins the table of a server to which a place belongs. */
function isTableOf(line: string, place: readonly string[]): boolean {
  const [table = '', name = ''] = place
  const root = parse(line) as Record<string, Record<string, object> | undefined>
  const server = root[table]?.[name]
  return server !== undefined && Object.keys(server).length === 0
}

function commentsIn(text: string): string[] {
  const parts = text.matchAll(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\r\n]*/g)
  return [...parts].flatMap(([part]) => (part.startsWith('#') ? [part.trim()] : []))
}
