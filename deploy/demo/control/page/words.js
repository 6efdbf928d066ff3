// Every word of the control page in both languages. Functions where a sentence holds figures or names.

export const LANGUAGES = ['zh-CN', 'en']

const en = {
  title: 'Demo bank',
  openSurety: 'Open Surety',
  otherLanguage: '中文',
  services: 'Services',
  service: 'Service',
  version: 'Version',
  serves: 'Serves',
  sites: 'Sites',
  requests: 'Requests, last minute',
  rejected: 'Business rejects',
  failed: 'System errors',
  steps: 'Steps',
  rollBack: 'Roll back',
  rollBackOf: (service) => `Roll back ${service}`,
  deployHere: 'Deploy …',
  deployOf: (service) => `Deploy a version of ${service}`,
  working: 'working …',
  tryTitle: 'Try this',
  tryBack: 'Take it all back',
  scenarios: {
    'faulty-release': {
      name: 'A faulty release among innocent ones',
      does: 'Deploys account to 30% and gateway to 50% of requests, both sound, and limit to three branches with the fault «wrong result». Within 90 s of the alarm Surety names limit, exonerates the others with reasons and suggests withdrawing the branches.',
    },
    'site-fault': {
      name: 'A site fails while a release runs',
      does: 'Deploys account, sound, to 30% of requests, then lets four services of sh-a fail. No release is blamed.',
    },
  },
  deployTitle: 'Deploy a version',
  scope: 'Who meets the new version',
  scopeBranch: 'these branches',
  scopeWeight: 'a share of requests',
  scopeWhole: 'everybody',
  percent: 'Share',
  faultInVersion: 'Fault in this version',
  faultNone: 'none',
  'fault-errors': 'errors: answers 500',
  'fault-latency': 'latency: answers late',
  'fault-wrong-result': 'wrong result: the next service fails',
  faultTitle: 'Inject a fault',
  faultKind: 'Fault',
  ratio: 'Share of requests hit',
  latency: 'Delay',
  site: 'Site',
  anyVersion: 'all versions',
  anySite: 'both sites',
  deploy: 'Deploy',
  inject: 'Inject',
  faults: 'Faults in effect',
  noFaults: 'None.',
  remove: 'Remove',
  removeOf: (id) => `Remove fault ${id}`,
  removeAll: 'Remove all',
  sitesTitle: 'Sites and load',
  siteState: {
    up: 'up',
    down: 'down; callers still try it',
    rerouted: 'down; everybody is sent to the other site',
  },
  siteDown: 'Take down',
  siteUp: 'Bring back',
  siteDownOf: (site) => `Take ${site} down`,
  siteUpOf: (site) => `Bring ${site} back`,
  stress: 'Stress test on live paths',
  perSecond: 'requests/s',
  stressSet: 'Run',
  stressEnd: 'End',
  stressState: (rate, runs) =>
    runs
      ? `${rate} stress requests a second run beside the customers (bank.traffic=stress).`
      : 'No stress test runs. Its requests are marked and count in no promise.',
  actions: 'Recent actions',
  noActions: 'None yet. Deploy a faulty version to a few branches, watch Surety find it, and roll it back.',
  noBranch: 'Choose at least one branch.',
  nobodyReads:
    'Services read the answers of others, but nobody reads what a channel answers: choose a service further down.',
  unreachable:
    'The demo bank does not answer. It may have been stopped; this page tries again every two seconds.',
  hints: {
    '': '',
    errors: 'The spans of this service fail.',
    latency: 'Above 3,000 ms the callers give up and answer 504.',
    'wrong-result':
      'The service answers 200 with a value that the next service to read it refuses: the failure shows one hop away from its cause.',
  },
  role: {
    base: (rest) => (rest ? 'everybody else' : 'everybody'),
    previous: 'nobody; kept as the way back',
  },
  scopeWords: {
    whole: () => 'everybody',
    weight: (scope) => `${scope.percent}% of requests`,
    branch: (scope) => `branches ${scope.branches.join(', ')}`,
  },
  regions: { east: 'East', north: 'North', south: 'South' },
  verdict: (rate, gray, faults) =>
    [
      `${rate} customer requests a second`,
      gray === 0 ? 'no gray release' : gray === 1 ? '1 gray release' : `${gray} gray releases`,
      faults === 0 ? 'no fault' : faults === 1 ? '1 fault' : `${faults} faults`,
    ].join(' · '),
  fault: (fault, percent) =>
    [
      {
        errors: `${percent} of requests answer 500`,
        latency: `${percent} of requests answer ${fault.latencyMs} ms later`,
        'wrong-result': `${percent} of requests give a wrong result`,
      }[fault.kind],
      fault.version ?? 'all versions',
      fault.site ?? 'both sites',
    ].join(' · '),
  action: {
    deployed: (action, scope) =>
      `${action.service} ${action.previousVersion} → ${action.version} deployed for ${scope}`,
    'rolled-back': (action) =>
      `${action.service} ${action.previousVersion} → ${action.version} rolled back, for everybody`,
    'fault-added': (action, _scope, fault) => `Fault injected into ${action.service}: ${fault}`,
    'fault-removed': (action, _scope, fault) => `Fault removed from ${action.service}: ${fault}`,
    'site-down': (action) => `${action.site} taken down`,
    'site-rerouted': (action) =>
      `${action.site} did not come back in time: everybody is sent to the other site`,
    'site-up': (action) => `${action.site} is back`,
    crashed: (action) => `An instance of ${action.service} ${action.version} crashed and is started again`,
  },
  footer: (state) =>
    `Release events sent to Surety: ${state.sent}` +
    (state.pending > 0 ? `, waiting: ${state.pending} (${state.lastFailure ?? 'sending'})` : '') +
    (state.refused > 0 ? `, refused: ${state.refused}` : ''),
}

const zh = {
  title: '演示银行',
  openSurety: '打开 Surety',
  otherLanguage: 'English',
  services: '服务',
  service: '服务',
  version: '版本',
  serves: '承接流量',
  sites: '中心',
  requests: '近一分钟请求',
  rejected: '业务拒绝',
  failed: '系统故障',
  steps: '操作',
  rollBack: '回滚',
  rollBackOf: (service) => `回滚 ${service}`,
  deployHere: '投产…',
  deployOf: (service) => `为 ${service} 投产新版本`,
  working: '处理中…',
  tryTitle: '试一试',
  tryBack: '全部撤回',
  scenarios: {
    'faulty-release': {
      name: '多次投产中有一次有故障',
      does: '向 30% 的请求投产 account、向 50% 的请求投产 gateway，两者均正常；再向三个网点投产带“结果错误”的 limit。告警后 90 秒内，Surety 指出 limit，说明理由排除其余两次，并建议撤回网点。',
    },
    'site-fault': {
      name: '投产期间某中心故障',
      does: '向 30% 的请求投产正常的 account，再让 sh-a 的四个服务报错。不应归咎于任何投产。',
    },
  },
  deployTitle: '投产新版本',
  scope: '灰度范围',
  scopeBranch: '指定网点',
  scopeWeight: '按请求比例',
  scopeWhole: '全部',
  percent: '比例',
  faultInVersion: '该版本自带的故障',
  faultNone: '无',
  'fault-errors': '报错：返回 500',
  'fault-latency': '变慢：延迟返回',
  'fault-wrong-result': '结果错误：由下一个服务报错',
  faultTitle: '注入故障',
  faultKind: '故障',
  ratio: '受影响请求比例',
  latency: '延迟',
  site: '中心',
  anyVersion: '全部版本',
  anySite: '两个中心',
  deploy: '投产',
  inject: '注入',
  faults: '当前故障',
  noFaults: '无。',
  remove: '移除',
  removeOf: (id) => `移除故障 ${id}`,
  removeAll: '全部移除',
  sitesTitle: '中心与压测',
  siteState: {
    up: '正常',
    down: '已中断；调用方仍在尝试',
    rerouted: '已中断；流量已切到另一中心',
  },
  siteDown: '中断',
  siteUp: '恢复',
  siteDownOf: (site) => `中断 ${site}`,
  siteUpOf: (site) => `恢复 ${site}`,
  stress: '全链路压测',
  perSecond: '次/秒',
  stressSet: '开始',
  stressEnd: '结束',
  stressState: (rate, runs) =>
    runs
      ? `正以每秒 ${rate} 次的压测请求与客户流量并行（bank.traffic=stress）。`
      : '当前没有压测。压测请求带标记，不计入任何承诺。',
  actions: '最近操作',
  noActions: '暂无。可先向几个网点投产一个带故障的版本，看 Surety 如何定位，再回滚。',
  noBranch: '请至少选择一个网点。',
  nobodyReads: '渠道的返回没有其他服务读取，请选择调用链下游的服务。',
  unreachable: '演示银行没有响应，可能已停止；本页每两秒重试一次。',
  hints: {
    '': '',
    errors: '该服务自身的请求失败。',
    latency: '超过 3,000 毫秒时，调用方放弃等待并返回 504。',
    'wrong-result': '该服务返回 200，但其中的值会被下一个读取它的服务拒绝：故障出现在离根因一跳的地方。',
  },
  role: {
    base: (rest) => (rest ? '其余全部' : '全部'),
    previous: '无流量，保留用于回滚',
  },
  scopeWords: {
    whole: () => '全部',
    weight: (scope) => `${scope.percent}% 的请求`,
    branch: (scope) => `网点 ${scope.branches.join('、')}`,
  },
  regions: { east: '东区', north: '北区', south: '南区' },
  verdict: (rate, gray, faults) =>
    [
      `每秒 ${rate} 笔客户请求`,
      gray === 0 ? '无灰度版本' : `${gray} 个灰度版本`,
      faults === 0 ? '无故障' : `${faults} 个故障`,
    ].join(' · '),
  fault: (fault, percent) =>
    [
      {
        errors: `${percent} 的请求返回 500`,
        latency: `${percent} 的请求延迟 ${fault.latencyMs} 毫秒返回`,
        'wrong-result': `${percent} 的请求结果错误`,
      }[fault.kind],
      fault.version ?? '全部版本',
      fault.site ?? '两个中心',
    ].join(' · '),
  action: {
    deployed: (action, scope) =>
      `${action.service} ${action.previousVersion} → ${action.version} 投产，范围：${scope}`,
    'rolled-back': (action) =>
      `${action.service} ${action.previousVersion} → ${action.version} 回滚，范围：全部`,
    'fault-added': (action, _scope, fault) => `${action.service} 注入故障：${fault}`,
    'fault-removed': (action, _scope, fault) => `${action.service} 移除故障：${fault}`,
    'site-down': (action) => `${action.site} 已中断`,
    'site-rerouted': (action) => `${action.site} 未及时恢复，流量已切到另一中心`,
    'site-up': (action) => `${action.site} 已恢复`,
    crashed: (action) => `${action.service} ${action.version} 的一个实例崩溃，正在重新启动`,
  },
  footer: (state) =>
    `已向 Surety 发送投产事件 ${state.sent} 条` +
    (state.pending > 0 ? `，等待 ${state.pending} 条（${state.lastFailure ?? '发送中'}）` : '') +
    (state.refused > 0 ? `，被拒 ${state.refused} 条` : ''),
}

export const WORDS = { 'zh-CN': zh, en }
