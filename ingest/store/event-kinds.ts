// What a named event means: names and reasons as their senders give them, by kind. Compared in lower case.
// Sources: Kubernetes pkg/kubelet/events/event.go, pkg/controller (events of Deployments, autoscaling, taints), Apache-2.0;
// Istio and Envoy response flags as events; the rest are names that operators of the field use.

export const EVENT_KINDS = {
  restart: [
    'killing',
    'backoff',
    'crashloopbackoff',
    'oomkilled',
    'oomkilling',
    'systemoom',
    'unhealthy',
    'containerdied',
    'restarted',
    'container.restart',
    'process.restart',
    'service.restart',
    'rebooted',
  ],
  eviction: [
    'evicted',
    'preempted',
    'preempting',
    'tainteviction',
    'taintmanagereviction',
    'evictionbyevictionapi',
    'pod.evicted',
    'nodenotready',
  ],
  scaling: [
    'successfulrescale',
    'scalingreplicaset',
    'scaledup',
    'scaleddown',
    'triggeredscaleup',
    'scaledown',
    'failedrescale',
    'scaling',
    'autoscaling.scale',
  ],
  rate_limit: ['rate_limit', 'rate.limit', 'ratelimit', 'ratelimited', 'rate_limited', 'throttled', 'rl'],
  circuit_break: [
    'circuit_break',
    'circuit.break',
    'circuitbreaker',
    'circuit_breaker.open',
    'circuit_breaker.opened',
    'circuit_breaker.closed',
    'circuit_breaker.half_open',
    'uo',
    'outlier_ejection',
    'ejected',
  ],
  degradation: ['degradation', 'degraded', 'fallback', 'service.degraded', 'feature.degraded'],
  self_healing: [
    'self_healing',
    'self.healing',
    'selfhealing',
    'healed',
    'failover',
    'failedover',
    'recovered',
  ],
} as const

export type EventKind = keyof typeof EVENT_KINDS | 'other'
export const EVENT_KIND_NAMES = [
  ...(Object.keys(EVENT_KINDS) as (keyof typeof EVENT_KINDS)[]),
  'other',
] as const

/** Attributes that name an event where `event_name` does not, in the order they are asked. */
export const EVENT_NAME_KEYS = ['event.name', 'k8s.event.reason'] as const
