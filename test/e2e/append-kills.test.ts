import { killedAppends } from './fault/append-kills.ts'
import { onSqlite } from './fault/backends.ts'

onSqlite(killedAppends)
