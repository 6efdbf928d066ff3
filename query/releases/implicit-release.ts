// A release that nobody told: a version that began to serve. Pure.

import { beforeServed, idOfAppearance, servedBy, type Draft, type View } from './reconcile-view.ts'
import { lifeOf } from './release-life.ts'
import { EVERYBODY } from './scope-width.ts'
import type { Appearance } from './traffic-changes.ts'

export function implicitRelease(appearance: Appearance, view: View): Draft {
  const { service, environment, version, versionFrom, atMs, system } = appearance
  const life = lifeOf([], atMs, servedBy(appearance, view))
  return {
    group: undefined,
    beforeServedMs: beforeServed(appearance, atMs, view),
    release: {
      id: idOfAppearance(appearance),
      changeType: 'code',
      service,
      target: '',
      toldService: '',
      system: view.systems.get(service) ?? system,
      environment,
      versionFrom,
      versionTo: version,
      ...life,
      isImplicit: true,
      startedAtMs: atMs,
      receivedAtMs: undefined,
      readyAtMs: atMs,
      readyFrom: 'traffic',
      scope: EVERYBODY,
      stages: [],
      orderId: '',
      vcsRevision: '',
      artifact: '',
      configHash: '',
      pipeline: '',
      actor: '',
      ticket: '',
      description: '',
      isReversible: true,
    },
  }
}
