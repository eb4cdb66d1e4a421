/**
 * The report: what must be reached and what was measured, then the figures of each subject beside
 * it.
 */
import type { Row } from './ratios.ts';
import { toMarkdownTable, toVerdictTable } from './ratios.ts';
import type { Fact } from './section.ts';

export interface Report {
  readonly machine: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly quick: boolean;
  readonly rows: readonly Row[];
  readonly facts: readonly Fact[];
  /** Why something could not be measured. */
  readonly remarks: readonly string[];
  readonly seconds: number;
}

const ORDER: readonly Fact['subject'][] = [
  'upstream alone',
  'omnix',
  'omnix to anthropic',
  'omnix to gemini',
  'transport',
  'bare',
  'portkey',
];

const LABELS: Readonly<Record<Fact['subject'], string>> = {
  'upstream alone': 'upstream alone',
  'omnix to anthropic': 'OmniX, translated to Anthropic',
  'omnix to gemini': 'OmniX, translated to Gemini',
  omnix: 'OmniX, all features on',
  transport: 'transport only',
  bare: 'bare proxy',
  portkey: 'Portkey 1.15.2',
};

function toFactTable(facts: readonly Fact[]): string {
  const figures = [...new Set(facts.map((fact) => fact.figure))];
  const subjects = ORDER.filter((subject) => facts.some((fact) => fact.subject === subject));
  const rows = figures.map((figure) => [
    figure,
    ...subjects.map(
      (subject) =>
        facts.find((fact) => fact.figure === figure && fact.subject === subject)?.value ?? '-',
    ),
  ]);
  return toMarkdownTable(['figure', ...subjects.map((subject) => LABELS[subject])], rows);
}

export function toMarkdown(report: Report): string {
  const kind = report.quick ? 'quick run: few rounds, for a first look only' : 'full run';
  const remarks = report.remarks.map((remark) => `- ${remark.replaceAll('\n', '\n  ')}`);
  return [
    `# Benchmark, ${report.startedAt}`,
    '',
    `${report.machine}. ${kind}, ${report.seconds.toFixed(0)} s.`,
    '',
    'Minimum, median and maximum are over the rounds; the verdict goes by the median.',
    '',
    toVerdictTable(report.rows),
    '',
    '## Each on its own',
    '',
    'CPU is user and system time of all processes, median (least to most) over the rounds.',
    '',
    toFactTable(report.facts),
    ...(remarks.length === 0 ? [] : ['', '## Not measured', '', ...remarks]),
    '',
  ].join('\n');
}
