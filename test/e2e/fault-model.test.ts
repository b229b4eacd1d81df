import { modelRuns } from './fault/model-runs.ts'
import { repeats, SEED } from './fault/random.ts'

modelRuns(SEED, repeats(150), repeats(30))
