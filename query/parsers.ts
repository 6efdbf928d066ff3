// Readers of documents that are not our own, for the API and for the commands.

import type { DocumentParser } from './registry/bundle.ts'

export const PARSERS: readonly DocumentParser[] = []
