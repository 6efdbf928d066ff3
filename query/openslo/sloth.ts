// Documents of Sloth (`version: prometheus/v1`, and `sloth.slok.dev/v1` of Kubernetes), taken over as v1: each SLO a ratio of two
// queries of Prometheus, where they are in the part of PromQL that is executed; else refused with the reason.
// Source: slok/sloth, pkg/prometheus/api/v1 and pkg/kubernetes/api/sloth/v1, commit 0e395d8 (read, not copied).

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Source } from './documents.ts'
import { toldOf } from './issues.ts'
import { shown, type Path, type Tell } from './problem.ts'
import { withoutNulls } from './without-nulls.ts'
import type { Found } from './references.ts'
import { OBJECTS_V1, VERSION_V1 } from './schema-v1.ts'
import { sliOf } from './sloth-sli.ts'
import { ANNOTATION_PREFIX } from './annotations.ts'

const PLAIN = 'prometheus/v1'
const KUBERNETES = 'sloth.slok.dev/v1'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const labels = z.record(z.string(), scalar).optional()
const chain = z
  .array(z.strictObject({ id: z.string(), priority: z.number().optional(), config: z.unknown().optional() }))
  .optional()
const plugins = z.strictObject({ overridePrevious: z.boolean().optional(), chain }).optional()
const Alert = z.strictObject({ disable: z.boolean().optional(), labels, annotations: labels }).optional()
const Slo = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  objective: z.number(),
  labels,
  plugins,
  sli: z.strictObject({
    events: z.strictObject({ errorQuery: z.string(), totalQuery: z.string() }).optional(),
    raw: z.strictObject({ errorRatioQuery: z.string() }).optional(),
    plugin: z.strictObject({ id: z.string(), options: z.unknown().optional() }).optional(),
  }),
  alerting: z
    .strictObject({
      name: z.string().optional(),
      labels,
      annotations: labels,
      pageAlert: Alert,
      ticketAlert: Alert,
    })
    .optional(),
})
type Slo = z.infer<typeof Slo>
const Spec = z.strictObject({
  service: z.string().min(1),
  labels,
  sloPlugins: plugins,
  slos: z.array(Slo).min(1),
})

/** The plain form's words; Kubernetes has the others. */
const WORDS: Readonly<Record<string, string>> = {
  error_query: 'errorQuery',
  total_query: 'totalQuery',
  error_ratio_query: 'errorRatioQuery',
  page_alert: 'pageAlert',
  ticket_alert: 'ticketAlert',
  slo_plugins: 'sloPlugins',
}
const PLAIN_WORDS = Object.fromEntries(Object.entries(WORDS).map(([plain, other]) => [other, plain]))

/** They make rules for Prometheus, or check them; what an SLO counts stays as it is. */
const HARMLESS =
  /^sloth\.dev\/(?:core\/[a-z_]+|contrib\/(?:info_labels|rule_intervals|denominator_corrected_rules|validate_victoria_metrics))\/v1$/

export function isSlothDocument(value: object): boolean {
  const { version, apiVersion } = value as { version?: unknown; apiVersion?: unknown }
  return apiVersion === KUBERNETES || (apiVersion === undefined && version === PLAIN)
}

export function readSloth(source: Source, tell: Tell): Found[] {
  const {
    apiVersion,
    version: _version,
    kind,
    spec,
    ...plain
  } = withoutNulls(source.value) as Record<string, unknown>
  const isPlain = apiVersion === undefined
  if (!isPlain && kind !== 'PrometheusServiceLevel') {
    const remedy =
      kind === 'AlertWindows'
        ? 'burn profiles are data of Surety; name one by surety/burn-profile'
        : 'take PrometheusServiceLevel'
    tell('error', 'kind', ['kind'], `is ${shown(kind)}, which is not read`, remedy)
    return []
  }
  const at = (path: Path): Path =>
    isPlain ? path.map((part) => PLAIN_WORDS[part] ?? part) : ['spec', ...path]
  const parsed = Spec.safeParse(inOneForm(isPlain ? plain : spec), { reportInput: true })
  if (!parsed.success) {
    for (const told of toldOf(parsed.error.issues, Spec))
      tell('error', told.code, at(told.path), told.message, told.remedy)
    return []
  }
  const group = parsed.data
  const say: Tell = (severity, code, path, ...rest) => tell(severity, code, at(path), ...rest)
  checkPlugins(group.sloPlugins?.chain, ['sloPlugins', 'chain'], say)
  return group.slos.flatMap((slo, index) => convert(group, slo, index, source, at, say))
}

function inOneForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOneForm)
  if (typeof value !== 'object' || value === null) return value
  const free = ['labels', 'annotations', 'options', 'config']
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [
      WORDS[key] ?? key,
      free.includes(key) ? member : inOneForm(member),
    ]),
  )
}

function checkPlugins(list: z.infer<typeof chain>, path: Path, tell: Tell): void {
  list?.forEach(({ id }, index) => {
    const at = [...path, index, 'id']
    if (HARMLESS.test(id))
      tell(
        'warning',
        'sloth-plugin',
        at,
        `«${id}» makes rules for Prometheus and changes nothing here`,
        'leave it out',
      )
    else
      tell(
        'error',
        'sloth-plugin',
        at,
        `«${id}» may change what is counted, and is not there`,
        'say in the SLO itself what it does',
      )
  })
}

function convert(
  group: z.infer<typeof Spec>,
  slo: Slo,
  index: number,
  source: Source,
  at: (path: Path) => Path,
  tell: Tell,
): Found[] {
  const path = ['slos', index]
  checkPlugins(slo.plugins?.chain, [...path, 'plugins', 'chain'], tell)
  const id = nameOf(`${group.service}-${slo.name}`, [...path, 'name'], tell)
  const sli = sliOf(slo.sli, [...path, 'sli'], tell)
  const kept = labelsOf({ ...group.labels, ...slo.labels }, [...path, 'labels'], tell)
  const severities = alertsOf(slo.alerting, [...path, 'alerting'], tell)
  if (sli === undefined) return []
  const object = {
    apiVersion: VERSION_V1,
    kind: 'SLO',
    metadata: {
      name: id,
      displayName: slo.name.slice(0, 63),
      ...(Object.keys(kept).length === 0 ? {} : { labels: kept }),
      annotations: {
        [`${ANNOTATION_PREFIX}imported-from`]: at([]).length === 0 ? PLAIN : KUBERNETES,
        ...(severities === undefined ? {} : { [`${ANNOTATION_PREFIX}alert-severities`]: severities }),
      },
    },
    spec: {
      ...(slo.description === undefined ? {} : { description: slo.description }),
      service: group.service,
      indicator: { metadata: { name: id }, spec: sli },
      timeWindow: [{ duration: '30d', isRolling: true }],
      budgetingMethod: 'Occurrences',
      objectives: [{ targetPercent: slo.objective }],
    },
  }
  const origin = (inV1: Path) => at(originOf(inV1, index, slo))
  const parsed = OBJECTS_V1.SLO.safeParse(object, { reportInput: true })
  if (parsed.success) return [{ object: parsed.data, source: { ...source, origin } }]
  for (const told of toldOf(parsed.error.issues, OBJECTS_V1.SLO))
    tell('error', told.code, originOf(told.path, index, slo), told.message, told.remedy)
  return []
}

const NAME_MAX = 63
const DIGEST_MAX = 8

/** Sloth's id of an SLO as a name of OpenSLO. */
function nameOf(id: string, path: Path, tell: Tell): string {
  const name = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  if (name.length <= NAME_MAX) return name
  const digest = createHash('sha256').update(id).digest('hex').slice(0, DIGEST_MAX)
  const short = `${name.slice(0, NAME_MAX - DIGEST_MAX - 1).replace(/-+$/, '')}-${digest}`
  tell(
    'warning',
    'assumed',
    path,
    `makes a name of more than ${NAME_MAX} characters; «${short}» is taken`,
    'name it shorter',
  )
  return short
}

function labelsOf(
  given: Readonly<Record<string, string | number | boolean>>,
  path: Path,
  tell: Tell,
): Record<string, string> {
  const fits = (key: string) => /^[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(key)
  for (const key of Object.keys(given).filter((one) => !fits(one)))
    tell(
      'warning',
      'not-kept',
      path,
      `the label «${key}» is no label of ${VERSION_V1}`,
      'begin and end it with a letter or digit',
    )
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (fits(key) ? [[key, String(value)]] : [])),
  )
}

/** Which severities are left on; undefined when all are. */
function alertsOf(alerting: Slo['alerting'], path: Path, tell: Tell): string | undefined {
  if (alerting === undefined) return undefined
  const { pageAlert, ticketAlert } = alerting
  if (
    [alerting, pageAlert, ticketAlert].some(
      (one) => one?.labels !== undefined || one?.annotations !== undefined,
    )
  )
    tell(
      'warning',
      'not-kept',
      path,
      'has labels and annotations of alerts, which are not taken over',
      'say who is told where alerts are routed',
    )
  const left = [
    ...(pageAlert?.disable === true ? [] : ['page']),
    ...(ticketAlert?.disable === true ? [] : ['ticket']),
  ]
  if (left.length === 2) return undefined
  return left[0] ?? 'none'
}

/** Where something of the converted SLO stands in Sloth's. */
function originOf(path: Path, index: number, { sli }: Slo): Path {
  const at = ['slos', index]
  if (path[0] === 'metadata')
    return path[1] === 'labels' ? [...at, 'labels', ...path.slice(2)] : [...at, 'name']
  if (path[1] === 'service') return ['service']
  if (path[1] === 'description') return [...at, 'description']
  if (path[1] === 'objectives') return [...at, 'objective']
  if (path[1] !== 'indicator') return at
  if (sli.raw !== undefined) return [...at, 'sli', 'raw', 'errorRatioQuery']
  return [
    ...at,
    'sli',
    'events',
    ...(path.includes('total')
      ? ['totalQuery']
      : path.includes('bad') || path.includes('good')
        ? ['errorQuery']
        : []),
  ]
}
