import { onEachBackend } from './fault/backends.ts'
import { recoveryTime } from './fault/recovery-time.ts'

onEachBackend(recoveryTime)
