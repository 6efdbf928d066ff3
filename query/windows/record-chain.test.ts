import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { WindowRecord } from '../http/verdict-schemas.ts'
import { canonicalJson, FIRST_HASH, firstBroken, hashOf, nextRecord, signerOf } from './record-chain.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const PUBLIC = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const SEED = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('base64')
const content = (day: number) => ({
  window: `2026-11-0${day}`,
  madeAt: '2026-11-01T00:00:00.000Z',
  text: '投产 "1"\u2028',
})

function chain(length: number, signer = signerOf(PEM)): WindowRecord[] {
  const records: WindowRecord[] = []
  for (let day = 1; day <= length; day++) records.push(nextRecord(records.at(-1), content(day), signer))
  return records
}

test('canonical JSON does not depend on the order of members', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined, '0': true })).toBe(
    '{"0":true,"b":[1,{"c":"x","d":null}]}',
  )
})

describe('a chain', () => {
  test('is whole, begins with zeros, and holds the hash of the one before', () => {
    const records = chain(3)
    expect(firstBroken(records, undefined, PUBLIC)).toBeUndefined()
    expect(records.map(({ previousHash }) => previousHash)).toEqual([
      FIRST_HASH,
      records[0]?.hash,
      records[1]?.hash,
    ])
  })

  test('signatures verify with nothing but the public key and the body', () => {
    for (const { body, signature } of chain(2))
      expect(
        verify(null, Buffer.from(body), createPublicKey(PUBLIC), Buffer.from(signature ?? '', 'base64')),
      ).toBe(true)
  })

  test.each([
    {
      name: 'one byte of a body',
      change: (record: WindowRecord) => ({ ...record, body: record.body.replace('投产', '投严') }),
    },
    {
      name: 'a body with its hash',
      change: (record: WindowRecord) => {
        const body = record.body.replace('投产', '回退')
        return { ...record, body, hash: hashOf(body) }
      },
    },
    { name: 'a hash', change: (record: WindowRecord) => ({ ...record, hash: hashOf('other') }) },
    {
      name: 'the window that is told',
      change: (record: WindowRecord) => ({ ...record, window: '2026-12-31' }),
    },
    { name: 'a signature that is gone', change: (record: WindowRecord) => ({ ...record, signature: null }) },
    {
      name: 'another key with its own signature',
      change: (record: WindowRecord) => {
        const other = signerOf(Buffer.alloc(32, 7).toString('base64'))
        return { ...record, signature: other.sign(record.body), publicKey: other.publicKey }
      },
    },
  ])('$name is noticed', ({ change }) => {
    const records = chain(3)
    const changed = records.map((record, place) => (place === 1 ? change(record) : record))
    expect(firstBroken(changed, undefined, PUBLIC)?.sequence).toBe(2)
  })

  test('a record that is left out is noticed at the next', () => {
    const records = chain(3)
    expect(firstBroken(records.toSpliced(1, 1))?.sequence).toBe(3)
    expect(firstBroken(records.slice(2), records[1])).toBeUndefined()
    expect(firstBroken(records.slice(2), records[0])?.sequence).toBe(3)
  })

  test('without a key records are unsigned and say so, and still chained', () => {
    const record = nextRecord(undefined, content(1), undefined)
    expect(record).toMatchObject({ signature: null, publicKey: null })
    expect(firstBroken([record])).toBeUndefined()
    expect(firstBroken([{ ...record, body: `${record.body} ` }])?.sequence).toBe(1)
  })
})

describe('keys', () => {
  test('PKCS#8 and the seed are the same key', () => {
    expect(signerOf(SEED)).toMatchObject({ publicKey: signerOf(PEM).publicKey })
    expect(signerOf(`\n${SEED}\n`).sign('x')).toBe(signerOf(PEM).sign('x'))
  })

  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  test.each([
    ['', 'nothing'],
    ['not a key', 'words'],
    [Buffer.alloc(31).toString('base64'), '31 bytes'],
    [rsa.export({ type: 'pkcs8', format: 'pem' }).toString(), 'a key of another kind'],
    [PUBLIC, 'a public key'],
  ])('what is none is refused without being shown: %#', (text) => {
    expect(() => signerOf(text)).toThrow(
      /^must be an Ed25519 key, PKCS#8 in PEM or the 32 bytes of its seed in Base64$/,
    )
  })
})
