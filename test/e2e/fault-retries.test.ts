import { onSqlite } from './fault/backends.ts'
import { dueRetries } from './fault/retries.ts'

onSqlite(dueRetries)
