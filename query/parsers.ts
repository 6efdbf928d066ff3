// Readers of documents that are not our own, for the API and for the commands.

import { buildOpenSloParser } from './openslo/document-parser.ts'
import type { DocumentParser } from './registry/bundle.ts'
import { burnProfiles } from './slo/burn-profiles.ts'

const isProfile = (name: string) => burnProfiles.some((profile) => profile.name === name)

export const PARSERS: readonly DocumentParser[] = [buildOpenSloParser({ isProfile })]
/** As OpenSLO's own SDK takes documents. */
export const STRICT_PARSERS: readonly DocumentParser[] = [buildOpenSloParser({ isProfile, isStrict: true })]
