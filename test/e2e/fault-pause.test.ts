import { onSqlite } from './fault/backends.ts'
import { pausedProcesses } from './fault/pauses.ts'

onSqlite(pausedProcesses)
