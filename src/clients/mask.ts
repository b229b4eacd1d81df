const MASK = '•••'

/** Tables whose values are secrets until somebody says otherwise. */
const SECRET_TABLES = ['env', 'environment', 'headers', 'http_headers']

/** `--api-key`, `-e`, `--header`, `-u`: what comes after it is a secret, or holds one. */
const SECRET_OPTION =
  /^--?(?:e|u|h|env|user|header|pat|.*(?:key|token|secret|passw(?:or)?d|auth|bearer|credential|cookie).*)$/i

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
  return /^(?:Bearer )?\$\{[\w:.-]+\}$/.test(text)
}

function maskedArgument(text: string, before = ''): string {
  if (isReference(text) || before === '--header-env') return text
  if (SECRET_OPTION.test(before) && !text.startsWith('-')) return maskedPair(text)
  const [, name, value] = /^(--?[\w-]+|[A-Za-z]\w*)=(.*)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) {
    const isSecret = /^[A-Z][A-Z0-9_]*$/.test(name) || SECRET_OPTION.test(name.replace(/^-*/, '--'))
    return `${name}=${isSecret ? MASK : maskedArgument(value)}`
  }
  if (/^\s*[{[]/.test(text)) return maskedJson(text)
  if (text.includes('://')) return maskedUrl(text)
  return looksSecret(text) ? MASK : text
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
    .replace(/(:\/\/)[^/?#\s]*@/g, `$1${MASK}@`)
    .replace(/([?&#][^=&\s]*=)[^&#\s]*/g, `$1${MASK}`)
    .replace(/\/([^/?#\s]+)/g, (whole, segment: string) => (looksSecret(segment) ? `/${MASK}` : whole))
}

function looksSecret(text: string): boolean {
  if (TOKEN.test(text)) return true
  return /^[A-Za-z0-9_\-+/=.]{20,}$/.test(text) && !/[/\\]|\.\w{1,5}$/.test(text) && isMixed(text)
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
