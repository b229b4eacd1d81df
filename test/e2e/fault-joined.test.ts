import { onSqlite } from './fault/backends.ts'
import { orphanedCallers } from './fault/joined.ts'

onSqlite(orphanedCallers)
