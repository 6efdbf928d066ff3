// Writing to a disk that may be full.

import type { FileHandle } from 'node:fs/promises'

/**
 * Writes all pieces behind each other, or fails: a disk that becomes full takes a part and says no word.
 * @throws Error when not everything was written
 */
export async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const wanted = pieces.reduce((sum, { length }) => sum + length, 0)
  const { bytesWritten } = await file.writev(pieces as Uint8Array[])
  if (bytesWritten !== wanted)
    throw new Error(`only ${bytesWritten} of ${wanted} bytes could be written; the disk is full`)
}
