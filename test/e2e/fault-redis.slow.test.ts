import { onRedis } from './fault/backends.ts'
import { pausedProcesses } from './fault/pauses.ts'
import { dueRetries } from './fault/retries.ts'
import { steeredTasks } from './fault/steering.ts'

/** What the quick part plays on SQLite. */
for (const define of [pausedProcesses, dueRetries, steeredTasks]) onRedis(define)
