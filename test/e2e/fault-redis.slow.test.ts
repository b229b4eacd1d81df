import { killedAppends } from './fault/append-kills.ts'
import { onRedis } from './fault/backends.ts'
import { orphanedCallers } from './fault/joined.ts'
import { sharedRuns } from './fault/once.ts'
import { pausedProcesses } from './fault/pauses.ts'
import { dueRetries } from './fault/retries.ts'
import { steeredTasks } from './fault/steering.ts'

/** What the quick part plays on SQLite. */
for (const define of [
  ...[sharedRuns, orphanedCallers, killedAppends],
  ...[pausedProcesses, dueRetries, steeredTasks],
])
  onRedis(define)
