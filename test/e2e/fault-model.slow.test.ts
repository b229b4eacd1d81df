import { modelRuns } from './fault/model-runs.ts'
import { repeats, SEED } from './fault/random.ts'

// Other runs than those of the quick part.
modelRuns(SEED + 1, repeats(150), repeats(70))
