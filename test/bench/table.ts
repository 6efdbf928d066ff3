// Plain text in columns.

/** @returns one line per row, cells padded to the widest of their column; cells that look like figures to the right */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)))
  }
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return index > 0 && /^[\d.,–-]+( ?[%×a-zA-Z/µ]+)?$/.test(cell)
          ? cell.padStart(width)
          : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** A figure with thousands apart: 1,234,567 or 12.35. */
export function figure(value: number, decimals = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
