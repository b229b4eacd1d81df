// Draws docs/pictures/demo.svg from what the demo really prints: `npm run build && node scripts/demo-picture.mjs`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const path = name => fileURLToPath(new URL(`../${name}`, import.meta.url))

const STYLE = new RegExp(`(${String.fromCharCode(27)}\\[\\d+m)`)
const FONT_SIZE = 14
const LINE = 20
const ADVANCE = 8.43
const PADDING = 20
const COLUMNS = 104
const COLOURS = {
  text: '#d8dee9',
  dim: '#7d8799',
  31: '#e06c75',
  32: '#7fc98f',
  33: '#e5c07b',
  36: '#6cc4d8',
}

/** The picture goes by so many times as fast as the demo went. */
const SPEED = 3

mkdirSync(path('docs/pictures'), { recursive: true })
writeFileSync(path('docs/pictures/demo.svg'), picture(withPolls(await demoLines())))

/** What the demo prints, each line with the second at which it came. */
async function demoLines() {
  const demo = spawn(process.execPath, [path('examples/demo/demo.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DEMO_COLOURS: '1', NO_COLOR: '' },
  })
  const began = performance.now()
  const lines = []
  for await (const text of createInterface(demo.stdout))
    lines.push({ text, at: (performance.now() - began) / 1_000 })
  if ((demo.exitCode ?? (await once(demo, 'exit'))[0]) !== 0) throw new Error('The demo failed.')
  while (lines[0]?.text === '') lines.shift()
  while (lines.at(-1)?.text === '') lines.pop()
  const note = `\u001b[2m  Shown ${SPEED} times as fast.\u001b[0m`
  return [...lines, { text: note, at: 0 }]
}

/** The polls that wait follow each other in one line: a bar that moves. Each line is `text`, `at`, and when it makes room, `until`. */
function withPolls(lines) {
  const isPoll = ({ text }) => /step \d+ of/.test(text)
  const rows = []
  for (const line of lines) {
    const before = rows.at(-1)
    if (before !== undefined && isPoll(line) && isPoll(before[0])) before.push(line)
    else rows.push([line])
  }
  return rows.map(row => row.map((line, i) => ({ ...line, until: row[i + 1]?.at })))
}

function picture(lines) {
  const width = Math.ceil(COLUMNS * ADVANCE + 2 * PADDING)
  const height = lines.length * LINE + 2 * PADDING
  const rows = lines.flatMap((frames, row) =>
    frames.map(frame => {
      const y = PADDING + (row + 0.75) * LINE
      return frame.text === ''
        ? ''
        : `<text x="${PADDING}" y="${y}"${shownFrom(frame)}>${spans(frame.text)}</text>`
    }),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What npm run demo prints">
<style>
@media (prefers-reduced-motion: no-preference) { text { animation: hidden var(--at, 0s) } }
.passing { visibility: hidden; animation: shown var(--for) var(--at) }
@media (prefers-reduced-motion: reduce) { .passing { animation: none } }
@keyframes hidden { from, to { visibility: hidden } }
@keyframes shown { from, to { visibility: visible } }
</style>
<rect width="100%" height="100%" rx="8" fill="#1b1f27"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="${FONT_SIZE}" fill="${COLOURS.text}">
${rows.filter(Boolean).join('\n')}
</g>
</svg>
`
}

/** Where nothing moves, all lines are there from the start, and of the polls the last one. */
function shownFrom({ at, until }) {
  const seconds = time => `${(time / SPEED).toFixed(2)}s`
  if (until === undefined) return ` style="--at:${seconds(at)}"`
  return ` class="passing" style="--at:${seconds(at)};--for:${seconds(until - at)}"`
}

/** A line of a terminal, with its colours. Each piece stands at its own column, whatever the font. */
function spans(line) {
  let bold = false
  let dim = false
  let colour
  let column = 0
  let svg = ''
  for (const piece of line.split(STYLE)) {
    const code = STYLE.exec(piece)?.[0].slice(2, -1)
    if (code === '0') [bold, dim, colour] = [false, false, undefined]
    else if (code === '1') bold = true
    else if (code === '2') dim = true
    else if (code !== undefined) colour = COLOURS[code]
    else if (piece !== '') {
      const style = styleOf(dim ? COLOURS.dim : colour, bold)
      // Words that a wider gap parts stand at columns of their own: SVG shows a run of blanks as one.
      for (const { 0: words, index } of piece.matchAll(/\S+(?: \S+)*/g)) {
        const at = column + [...piece.slice(0, index)].length
        svg += span([...words].slice(0, Math.max(0, COLUMNS - at)), at, style)
      }
      column += [...piece].length
    }
  }
  return svg
}

function styleOf(fill, bold) {
  return `${fill ? ` fill="${fill}"` : ''}${bold ? ' font-weight="700"' : ''}`
}

function span(letters, column, style) {
  if (letters.length === 0) return ''
  const [x, length] = [PADDING + column * ADVANCE, letters.length * ADVANCE].map(size => size.toFixed(1))
  const text = escaped(letters.join(''))
  return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${style}>${text}</tspan>`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
