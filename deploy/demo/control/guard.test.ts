import { expect, test } from 'vitest'
import { reasonToRefuse, type Caller } from './guard.ts'

const own: Caller = { host: '127.0.0.1:8090', origin: undefined, fetchSite: undefined }

test.each<{ name: string; caller: Partial<Caller>; allowed: boolean }>([
  { name: 'a program on this machine', caller: {}, allowed: true },
  {
    name: 'the page itself',
    caller: { origin: 'http://127.0.0.1:8090', fetchSite: 'same-origin' },
    allowed: true,
  },
  {
    name: 'the page by another name',
    caller: { host: 'localhost:8090', origin: 'http://localhost:8090' },
    allowed: true,
  },
  { name: 'the page by IPv6', caller: { host: '[::1]:8090' }, allowed: true },
  { name: 'a name that resolves to loopback', caller: { host: 'bank.example:8090' }, allowed: false },
  { name: 'a name that begins like loopback', caller: { host: '127.0.0.1.example' }, allowed: false },
  { name: 'no host at all', caller: { host: undefined }, allowed: false },
  { name: 'a foreign page', caller: { origin: 'https://bank.example' }, allowed: false },
  { name: 'a page of another local port', caller: { origin: 'http://127.0.0.1:3000' }, allowed: false },
  { name: 'a page without an origin of its own', caller: { origin: 'null' }, allowed: false },
  { name: 'a foreign image or form', caller: { fetchSite: 'cross-site' }, allowed: false },
])('$name: allowed is $allowed', ({ caller, allowed }) => {
  expect(reasonToRefuse({ ...own, ...caller }) === undefined).toBe(allowed)
})
