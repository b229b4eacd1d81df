import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddress } from '../../stores/redis-address.ts'
import { type Connection, connector } from '../../stores/redis-client.ts'
import { withoutSecrets } from '../../stores/redis-errors.ts'
import { type Finding, mend, note, ok } from './finding.ts'

const REACHED_WITHIN_MS = 5_000

/** Whether a server answers, keeps what it holds over a restart, and drops nothing by itself. */
export async function checkRedis(url: string): Promise<Finding[]> {
  const { where, secrets } = parseAddress(url)
  const what = { about: 'store', subject: where } as const
  let connection: Connection | undefined
  try {
    connection = await connector(url, REACHED_WITHIN_MS)()
    const fields = await ask(connection)
    return [
      ok(what, `answers, version ${fields.redis_version ?? 'unknown'}`),
      ...checkPolicy(what, fields),
      ...checkPersistence(what, fields),
    ]
  } catch (error) {
    const { message } = withoutSecrets(error, secrets)
    return [
      mend(what, `cannot be used: ${message}`, 'Check the address, the password, and that the server runs.'),
    ]
  } finally {
    connection?.destroy()
  }
}

type Fields = Readonly<Record<string, string | undefined>>

async function ask(connection: Connection): Promise<Fields> {
  const asked = new Promise<Fields>((resolve, reject) => {
    let failure: unknown
    connection.observe({
      onReady: () => connection.send(['INFO']).then(info => resolve(fieldsOf(String(info))), reject),
      onDown: error => {
        failure = error ?? failure
      },
      onMessage: () => {},
    })
    connection.open()
    void sleep(REACHED_WITHIN_MS, undefined, { ref: false }).then(() =>
      reject(failure ?? new Error(`no answer within ${REACHED_WITHIN_MS / 1000} s`)),
    )
  })
  return asked
}

function fieldsOf(info: string): Fields {
  return Object.fromEntries([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, text]) => [name, text]))
}

type What = { readonly about: 'store'; readonly subject: string }

function checkPolicy(what: What, { maxmemory_policy: policy, maxmemory }: Fields): Finding[] {
  if (policy === undefined)
    return [note(what, 'does not say what it does when it is full.', 'Set maxmemory-policy noeviction.')]
  if (policy === 'noeviction') return []
  const message = `drops entries whose handles are held, and tasks in flight, when it is full (maxmemory-policy ${policy}).`
  const advice = 'Set maxmemory-policy noeviction.'
  return [maxmemory === '0' ? note(what, message, advice) : mend(what, message, advice)]
}

function checkPersistence(
  what: What,
  { aof_enabled: log, rdb_last_bgsave_status: saved }: Fields,
): Finding[] {
  if (saved !== undefined && saved !== 'ok') {
    return [
      mend(what, 'could not write its last snapshot to disk.', 'Look into its log: the disk may be full.'),
    ]
  }
  if (log !== '0') return []
  return [
    note(
      what,
      'keeps no log on disk: after a crash, what was stored since its last snapshot is gone.',
      'Set appendonly yes, if tasks have to outlive a crash.',
    ),
  ]
}
