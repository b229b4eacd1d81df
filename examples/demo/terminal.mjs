// @ts-check
/** What the demo draws: colours and a moving bar on a terminal, plain lines anywhere else. */

const live = process.stdout.isTTY === true
const wanted = process.env.DEMO_COLOURS !== undefined || (live && process.env.TERM !== 'dumb')
const coloured = wanted && !process.env.NO_COLOR

/** @param {number} code */
const style = code => (/** @type {unknown} */ text) =>
  coloured ? `\u001b[${code}m${text}\u001b[0m` : `${text}`

export const bold = style(1)
export const dim = style(2)
export const green = style(32)
export const cyan = style(36)
export const yellow = style(33)
export const red = style(31)

export function line(text = '') {
  process.stdout.write(`${text}\n`)
}

let steps = 0

/** @param {string} text */
export function heading(text) {
  steps++
  line()
  line(`  ${cyan(bold(steps))}  ${bold(text)}`)
}

/** @param {string} tool @param {unknown} args */
export function asked(tool, args) {
  const shown = JSON.stringify(args)
    .replace(/"(\w+)":/g, ' $1: ')
    .replace(/\}$/, ' }')
  line(`     ${dim('→')} ${tool} ${dim(shown)}`)
}

/** @param {string} text */
export function answered(text) {
  line(`     ${dim('←')} ${text}`)
}

/** @param {string} text */
export function detail(text) {
  line(`       ${text}`)
}

/** @param {string} text */
export function seen(text) {
  line(`     ${green('✓')} ${text}`)
}

const WIDTH = 32

/** @param {number} share 0 to 1 @param {number} [width] */
export function bar(share, width = WIDTH) {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(Math.min(1, share) * width * 8))
  const tip = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? ''
  const filled = '█'.repeat(Math.floor(eighths / 8)) + tip.trim()
  return green(filled) + dim('·'.repeat(Math.max(0, width - filled.length)))
}

/** A line that is drawn over itself on a terminal; elsewhere only what is worth a line of its own is written. */
export class Status {
  #drawn = false

  /** @param {string} text @param {{ plain?: boolean }} [options] */
  show(text, { plain = false } = {}) {
    if (live) {
      process.stdout.write(`\r\u001b[2K     ${text}`)
      this.#drawn = true
    } else if (plain) line(`     ${text}`)
  }

  end() {
    if (this.#drawn) process.stdout.write('\r\u001b[2K')
    this.#drawn = false
  }
}
