import { onRedis, onSqlite } from './fault/backends.ts'
import { killMatrix } from './fault/kill-matrix.ts'

onSqlite(backend => killMatrix(backend, [0]))
onRedis(backend => killMatrix(backend, [0], ['in handler', 'during recovery']))
