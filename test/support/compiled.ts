// Where Node keeps what it made of sources, for the processes that follow.

import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const COMPILED = join(tmpdir(), 'surety-compiled')
