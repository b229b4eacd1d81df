import { onSqlite } from './fault/backends.ts'
import { sharedRuns } from './fault/once.ts'

onSqlite(sharedRuns)
