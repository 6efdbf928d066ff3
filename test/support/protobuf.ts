// Reads protobuf by a schema given as text, with a library that is not ours: what we write by hand, others must
// be able to read.

import protobuf from 'protobufjs'

/** @param schema a .proto file's text @returns a reader of bytes as one of its messages; 64-bit integers as texts */
export function protobufReader(schema: string): (message: string, bytes: Uint8Array) => unknown {
  const { root } = protobuf.parse(schema)
  return (message, bytes) => {
    const type = root.lookupType(message)
    return type.toObject(type.decode(bytes), { longs: String })
  }
}
