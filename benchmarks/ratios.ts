/**
 * What the report compares: a figure per round, its spread over the rounds, and whether it
 * suffices.
 */

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Of an even number of values the median is the mean of the middle two. NaN of none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return {
    min: sorted[0] ?? Number.NaN,
    median: (lower + upper) / 2,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/**
 * The ratio of two series round by round. Both must come from the same rounds, so series of unequal
 * length are refused with an error: a missing round must not shift the others against each other.
 */
export function ratiosOf(numerators: readonly number[], denominators: readonly number[]): number[] {
  if (numerators.length !== denominators.length) {
    throw new Error(`${numerators.length} rounds cannot be set against ${denominators.length}`);
  }
  return numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN));
}

export type Unit = 'x' | 'us' | 'ms' | 's' | 'streams';

/** `at_least 0.7` or `at_most 2`, in the row's unit. */
export interface Limit {
  readonly kind: 'at_least' | 'at_most';
  readonly value: number;
}

export interface Row {
  readonly figure: string;
  readonly unit: Unit;
  /** Null: only reported. */
  readonly limit: Limit | null;
  /** One value per round. Empty when it could not be measured; then `note` says why. */
  readonly values: readonly number[];
  readonly note: string;
  /**
   * Requests that failed or were incomplete while it was measured: any makes the figure worthless.
   */
  readonly errors: number;
}

export type Verdict = 'ok' | 'MISSED' | 'INVALID' | 'not measured' | 'reported';

/** By the median: one disturbed round on a shared machine decides nothing, half of them do. */
export function verdictOf(row: Row): Verdict {
  if (row.values.length === 0) return 'not measured';
  if (row.errors > 0) return 'INVALID';
  if (row.limit === null) return 'reported';
  const { median } = spreadOf(row.values);
  const reached =
    row.limit.kind === 'at_least' ? median >= row.limit.value : median <= row.limit.value;
  return reached ? 'ok' : 'MISSED';
}

/** Three significant digits, no exponent, with the unit. */
export function formatFigure(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '-';
  if (unit === 'streams') return value.toFixed(0);
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return unit === 'x' ? `${value.toFixed(digits)}x` : `${value.toFixed(digits)} ${unit}`;
}

function formatLimit(limit: Limit | null, unit: Unit): string {
  if (limit === null) return '-';
  const value = unit === 'streams' ? String(limit.value) : `${limit.value}${suffixOf(unit)}`;
  return `${limit.kind === 'at_least' ? '>=' : '<='} ${value}`;
}

function suffixOf(unit: Unit): string {
  return unit === 'x' ? 'x' : ` ${unit}`;
}

/** A Markdown table; cells may not hold line breaks, and a pipe in one is escaped. */
export function toMarkdownTable(header: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

export function toVerdictTable(rows: readonly Row[]): string {
  const header = ['figure', 'must reach', 'min', 'median', 'max', 'verdict', 'note'];
  const body = rows.map((row) => {
    const spread = spreadOf(row.values);
    return [
      row.figure,
      formatLimit(row.limit, row.unit),
      formatFigure(spread.min, row.unit),
      formatFigure(spread.median, row.unit),
      formatFigure(spread.max, row.unit),
      verdictOf(row),
      row.errors > 0 ? `${row.errors} failed requests. ${row.note}` : row.note,
    ];
  });
  return toMarkdownTable(header, body);
}
