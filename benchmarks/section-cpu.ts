/** CPU per request: JSON, streams, the policy's share, and bodies of several sizes. */
import type { CpuRounds, CpuSeries } from './cpu-rounds.ts';
import { measureCpuRounds } from './cpu-rounds.ts';
import type { Limit, Row } from './ratios.ts';
import { formatFigure, ratiosOf, spreadOf } from './ratios.ts';
import type { Context, Fact, SectionResult } from './section.ts';
import type { SubjectName } from './subjects.ts';
import type { WorkloadName } from './workloads.ts';

const CONCURRENCY = 32;
const ALL: readonly SubjectName[] = ['omnix', 'bare', 'transport', 'portkey'];

/**
 * How many times less CPU ours takes than the other. Values are empty when one was not measured.
 */
function toRatioRow(
  rounds: CpuRounds,
  other: SubjectName,
  row: { readonly figure: string; readonly limit: Limit | null; readonly note: string },
): Row {
  const ours = rounds.get('omnix');
  const theirs = rounds.get(other);
  const measured = ours !== undefined && theirs !== undefined;
  return {
    ...row,
    unit: 'x',
    values: measured ? ratiosOf(theirs.usPerRequest, ours.usPerRequest) : [],
    note: measured ? row.note : `${ours === undefined ? 'omnix' : other} was not started`,
    errors: (ours?.errors ?? 0) + (theirs?.errors ?? 0),
  };
}

function toPolicyRow(rounds: CpuRounds): Row {
  const ours = rounds.get('omnix');
  const transport = rounds.get('transport');
  const measured = ours !== undefined && transport !== undefined;
  return {
    figure: 'policy cost per request (everything but transport), CPU',
    unit: 'us',
    limit: { kind: 'at_most', value: 15 },
    values: measured
      ? ours.usPerRequest.map((us, round) => us - (transport.usPerRequest[round] ?? Number.NaN))
      : [],
    note: measured
      ? 'CPU per JSON request less that of transport-only.ts (node:http, Pool.dispatch)'
      : 'omnix was not started',
    errors: (ours?.errors ?? 0) + (transport?.errors ?? 0),
  };
}

function describeSeries(series: CpuSeries): string {
  const us = spreadOf(series.usPerRequest);
  const perSecond = spreadOf(series.perSecond).median.toFixed(0);
  const postgres = spreadOf(series.postgresUsPerRequest).median;
  const beside = postgres > 0 ? `, Postgres ${formatFigure(postgres, 'us')} beside it` : '';
  const median = formatFigure(us.median, 'us');
  return `${median} (${us.min.toFixed(0)} to ${us.max.toFixed(0)}), ${perSecond}/s${beside}`;
}

function toFacts(rounds: CpuRounds, figure: string): Fact[] {
  return [...rounds].map(([subject, series]) => ({
    figure,
    subject,
    value: describeSeries(series),
  }));
}

export async function measureJson(context: Context): Promise<SectionResult> {
  const rounds = await measureCpuRounds(context, {
    workload: 'small',
    subjects: ALL,
    concurrency: CONCURRENCY,
    rounds: context.scale.jsonRounds,
  });
  const note = `${CONCURRENCY} connections, closed loop`;
  return {
    rows: [
      toRatioRow(rounds, 'bare', {
        figure: 'JSON chat, requests per CPU-second, against the bare proxy',
        limit: { kind: 'at_least', value: 0.7 },
        note,
      }),
      toRatioRow(rounds, 'portkey', {
        figure: 'JSON chat, requests per CPU-second, against Portkey 1.15.2',
        limit: { kind: 'at_least', value: 6 },
        note,
      }),
      toPolicyRow(rounds),
    ],
    facts: toFacts(rounds, 'CPU per JSON request'),
  };
}

async function measureStream(
  context: Context,
  workload: WorkloadName,
  figure: string,
): Promise<SectionResult> {
  const rounds = await measureCpuRounds(context, {
    workload,
    subjects: ALL,
    concurrency: CONCURRENCY,
    rounds: context.scale.streamRounds,
  });
  const note = 'how many times less CPU per stream';
  return {
    rows: [
      toRatioRow(rounds, 'portkey', {
        figure: `${figure}, CPU against Portkey`,
        limit: { kind: 'at_least', value: 2 },
        note,
      }),
      toRatioRow(rounds, 'bare', {
        figure: `${figure}, CPU against the bare proxy`,
        limit: null,
        note,
      }),
    ],
    facts: toFacts(rounds, `CPU per ${figure}`),
  };
}

/**
 * As fast as the upstream can: a slow gateway finds several events in one read, which spares it
 * work.
 */
export function measureInstantStream(context: Context): Promise<SectionResult> {
  return measureStream(context, 'stream_100', '100-chunk stream, instant');
}

/** Two milliseconds apart, as models write: every event is a read and a write of its own. */
export function measurePacedStream(context: Context): Promise<SectionResult> {
  return measureStream(context, 'stream_100_paced', '100-chunk stream, a chunk every 2 ms');
}

/** Bodies of real size, without limits of their own: where the CPU time goes as prompts grow. */
export async function measureSizes(context: Context): Promise<SectionResult> {
  if (!context.scale.sizes) return { rows: [], facts: [] };
  const facts: Fact[] = [];
  const sizes = [
    { workload: 'tokens_1k', label: '1k' },
    { workload: 'tokens_10k', label: '10k' },
    { workload: 'tokens_100k', label: '100k' },
  ] as const;
  for (const { workload, label } of sizes) {
    const rounds = await measureCpuRounds(context, {
      workload,
      subjects: ['omnix', 'bare', 'portkey'],
      concurrency: 8,
      rounds: context.scale.otherRounds,
    });
    facts.push(...toFacts(rounds, `CPU per request of ${label} tokens, answer of 1k`));
  }
  return { rows: [], facts };
}
