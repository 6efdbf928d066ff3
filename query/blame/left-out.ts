// Says what the bounds of a case kept out, in both languages. Pure.

type Told = { readonly en: string; readonly zh: string }

export function leftOut(parts: {
  readonly minutes: number
  readonly candidates: number
  readonly entries: number
  readonly rows: number
  readonly failures: boolean
  readonly places: boolean
  readonly branches: boolean
}): Told[] {
  const told: [boolean, Told][] = [
    [
      parts.minutes > 0,
      {
        en: `${parts.minutes} minutes are not derived yet and are not counted`,
        zh: `有 ${parts.minutes} 分钟尚未汇总，未计入`,
      },
    ],
    [
      parts.candidates > 0,
      {
        en: `${parts.candidates} releases further away are not looked at`,
        zh: `有 ${parts.candidates} 个较远的发布未纳入分析`,
      },
    ],
    [
      parts.entries > 0,
      {
        en: `${parts.entries} affected entries with the fewest requests are not looked at`,
        zh: `有 ${parts.entries} 个请求量最少的受影响入口未纳入分析`,
      },
    ],
    [
      parts.rows > 0,
      {
        en: `${parts.rows} rows of requests beyond the bound are not looked at`,
        zh: `超出上限的 ${parts.rows} 行请求统计未纳入分析`,
      },
    ],
    [
      parts.failures,
      { en: 'only the most frequent kinds of failure are looked at', zh: '仅分析最常见的故障类型' },
    ],
    [parts.places, { en: 'only the busiest places are looked at', zh: '仅分析请求量最大的部署位置' }],
    [parts.branches, { en: 'branches are too many to be told apart', zh: '网点过多，未逐个区分' }],
  ]
  return told.filter(([isSo]) => isSo).map(([, text]) => text)
}
