// Draws docs/pictures/demo.svg from what the demo really prints: `npm run build && node scripts/demo-picture.mjs`.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
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

const demo = spawnSync(process.execPath, [path('examples/demo/demo.mjs')], {
  encoding: 'utf8',
  env: { ...process.env, DEMO_COLOURS: '1', NO_COLOR: '' },
})
if (demo.status !== 0) throw new Error(`The demo failed: ${demo.stderr}`)
const lines = shortened(demo.stdout.split('\n'))

mkdirSync(path('docs/pictures'), { recursive: true })
writeFileSync(path('docs/pictures/demo.svg'), picture(lines))

/** Of the polls that wait, the first, one in the middle and the last; without the empty lines around all. */
function shortened(all) {
  const steps = all.flatMap((line, at) => (/step \d+ of/.test(line) ? [at] : []))
  const kept = new Set([steps[0], steps[steps.length >> 1], steps.at(-1)])
  const text = all.filter((_, at) => !steps.includes(at) || kept.has(at)).join('\n')
  return text.replace(/^\n+|\n+$/g, '').split('\n')
}

function picture(lines) {
  const width = Math.ceil(COLUMNS * ADVANCE + 2 * PADDING)
  const height = lines.length * LINE + 2 * PADDING
  const rows = lines.map(
    (line, row) => `<text x="${PADDING}" y="${PADDING + (row + 0.75) * LINE}">${spans(line)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What npm run demo prints">
<rect width="100%" height="100%" rx="8" fill="#1b1f27"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="${FONT_SIZE}" fill="${COLOURS.text}">
${rows.join('\n')}
</g>
</svg>
`
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
