// Readers of documents that are not our own, for the API and for the commands.

import { buildOpenSloParser } from './openslo/document-parser.ts'
import type { DocumentParser } from './registry/bundle.ts'
import { burnProfiles } from './slo/burn-profiles.ts'

export const PARSERS: readonly DocumentParser[] = [
  buildOpenSloParser({ isProfile: (name) => burnProfiles.some((profile) => profile.name === name) }),
]
