const MASK = '•••'

/** Tables whose values are secrets until somebody says otherwise. */
const SECRET_TABLES = ['env', 'environment', 'headers', 'http_headers']

/** What a name says whose value is a secret, or holds one. */
const SECRET_WORDS =
  'key|token|secret|pass|pwd|auth|bearer|credential|cookie|dsn|conn(?:ection)?[-_]?str|signature|session|private|mnemonic|seed'

/** `--api-key`, `-e`, `--header`, `-u`: what comes after it is a secret, or holds one. */
const SECRET_OPTION = new RegExp(
  `^--?(?:e|u|h|env|user|header|pat|pw|pin|otp|sig|.*(?:${SECRET_WORDS}).*)$`,
  'i',
)

/** `Server=h;Password=…`, as databases are named. */
const PAIRS = /^[^=;]+=[^;]*;\s*[^=;]+=/

/** `${NAME:-otherwise}`: what stands behind the sign can be the secret itself. */
const DEFAULT = /(\$\{[^{}]*?:?-)[^{}]*\}/g

/** What tokens look like: a known beginning, or long with letters and digits mixed. */
const TOKEN =
  /^(?:sk|pk|rk|ghp|gho|ghs|ghu|glpat|xox[a-z]|AKIA|AIza|eyJ|github_pat|hf|npm|lin_api)[-_A-Za-z0-9]{8,}/

/**
 * A part of a client's configuration, fit to be shown: the values of environments and headers, and what looks like a secret in
 * arguments and URLs, are masked. Pure.
 *
 * @param key under which it stands
 */
export function masked(value: unknown, key = ''): unknown {
  if (SECRET_TABLES.includes(key) && isTable(value))
    return mapValues(value, one => (typeof one === 'string' && isReference(one) ? one : MASK))
  if (Array.isArray(value))
    return value.map((one, at) =>
      typeof one === 'string' ? maskedArgument(one, textOf(value[at - 1])) : masked(one),
    )
  if (isTable(value)) return mapValues(value, masked)
  if (typeof value !== 'string') return value
  return SECRET_OPTION.test(`--${key}`) && !/_env_var$/.test(key) ? MASK : maskedArgument(value)
}

/** `${TOKEN}` names a secret and is none. */
function isReference(text: string): boolean {
  return /^(?:Bearer )?\$\{(?:(?:env:)?\w+|(?:input|command|config|file|secret):\w[\w./-]*)\}$/.test(text)
}

function maskedArgument(text: string, before = ''): string {
  if (isReference(text) || /^--(?:header|url)-env$/.test(before)) return text
  if (SECRET_OPTION.test(before) && !text.startsWith('-')) return maskedPair(text)
  if (PAIRS.test(text)) return text.replace(/(^|;)([^=;]*)=[^;]*/g, `$1$2=${MASK}`)
  const [, name, value] = /^(--?[\w-]+|[A-Za-z]\w*)=(.*)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) {
    // Short options are written together with their value: `-eNAME=…`.
    const isVariable = /^(?:-[A-Za-z])?[A-Z][A-Z0-9_]*$/.test(name)
    const isSecret = isVariable || SECRET_OPTION.test(name.replace(/^-*/, '--'))
    return `${name}=${isSecret ? MASK : maskedArgument(value)}`
  }
  if (/^\s*['"]?\s*[{[]/.test(text)) return maskedJson(text)
  if (/^-u\w+:|^-p(?=.*[A-Z\d])(?!\d+$)\w{3,}$/.test(text)) return `${text.slice(0, 2)}${MASK}`
  const shown = text.includes('://') ? maskedUrl(text) : text
  return looksSecret(shown) ? MASK : shown.replace(DEFAULT, `$1${MASK}}`)
}

/** Some servers take all their settings as one argument. */
function maskedJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value) =>
      isTable(value) || Array.isArray(value) ? value : MASK,
    )
  } catch {
    return MASK
  }
}

/** Of `NAME=value` and `Name: value`, the name may be seen. */
function maskedPair(text: string): string {
  const [, name = ''] = /^([A-Za-z][\w-]*(?:=|:\s?))/.exec(text) ?? []
  return `${name}${MASK}`
}

function maskedUrl(text: string): string {
  return text
    .replace(DEFAULT, `$1${MASK}}`)
    .replace(/(:\/\/)[^/?#\s]*@/g, `$1${MASK}@`)
    .replace(/([?&#][^=&\s]*=)[^&#\s]*/g, `$1${MASK}`)
    .replace(/\/([^/?#\s]+)/g, (whole, segment: string) => (isSecretSegment(segment) ? `/${MASK}` : whole))
}

/** Secrets are parts of paths, too: a word of a path has its letters in one case, and few digits. */
function isSecretSegment(segment: string): boolean {
  if (!/^[A-Za-z0-9_\-~=+]{10,}$/.test(segment)) return looksSecret(segment)
  return TOKEN.test(segment) || isMixed(segment) || /[a-z].*[A-Z]{2}|[A-Z]{2}.*[a-z]/.test(segment)
}

function looksSecret(text: string): boolean {
  if (TOKEN.test(text)) return true
  return /^[A-Za-z0-9_\-+/=.~]{16,}$/.test(text) && !/[/\\]|\.\w{1,5}$/.test(text) && isMixed(text)
}

function isMixed(text: string): boolean {
  const digits = text.replace(/[^0-9]/g, '').length
  return digits >= 3 && /[A-Za-z]/.test(text)
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapValues(
  table: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
) {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value, key)]))
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
