// Types of two small libraries that bring none.

declare module 'lz4js' {
  const lz4: {
    compress(plain: Uint8Array): Uint8Array
    decompress(packed: Uint8Array, bytesMax: number): Uint8Array
    decompressBound(packed: Uint8Array): number
  }
  export default lz4
}

declare module 'snappyjs' {
  const snappy: {
    compress(plain: Uint8Array): Uint8Array
    uncompress(packed: Uint8Array, bytesMax: number): Uint8Array
  }
  export default snappy
}
