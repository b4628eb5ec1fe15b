// All that is fuzzed.

import type { Target } from './target.ts'
import { FILE_TARGETS } from './targets/files.ts'
import { HEAD_TARGETS } from './targets/heads.ts'
import { HTTP_TARGETS } from './targets/http.ts'
import { IMAGE_TARGETS } from './targets/images.ts'
import { WIRE_TARGETS } from './targets/wire.ts'

export const TARGETS: readonly Target[] = [
  ...WIRE_TARGETS,
  ...HEAD_TARGETS,
  ...FILE_TARGETS,
  ...IMAGE_TARGETS,
  ...HTTP_TARGETS
]
