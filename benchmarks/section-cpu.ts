/** CPU per request: JSON, streams, the policy's share, and bodies of several sizes. */
import type { CpuRounds, CpuSeries } from './cpu-rounds.ts';
import { measureCpuRounds } from './cpu-rounds.ts';
import type { Limit, Row } from './ratios.ts';
import { formatFigure, ratiosOf, spreadOf } from './ratios.ts';
import type { Context, Fact, SectionResult } from './section.ts';
import type { Lane } from './load-protocol.ts';
import type { Subject, SubjectName } from './subjects.ts';
import type { UpstreamDialect, WorkloadName } from './workloads.ts';

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

/** CPU that ours takes beyond the other, per JSON request. */
function toBeyondRow(
  rounds: CpuRounds,
  other: SubjectName,
  row: { readonly figure: string; readonly limit: Limit | null; readonly note: string },
): Row {
  const ours = rounds.get('omnix');
  const theirs = rounds.get(other);
  const measured = ours !== undefined && theirs !== undefined;
  return {
    ...row,
    unit: 'us',
    values: measured
      ? ours.usPerRequest.map((us, round) => us - (theirs.usPerRequest[round] ?? Number.NaN))
      : [],
    note: measured ? row.note : `${ours === undefined ? 'omnix' : other} was not started`,
    errors: (ours?.errors ?? 0) + (theirs?.errors ?? 0),
  };
}

const POLICY = {
  figure: 'policy cost per request (everything but transport), CPU',
  limit: { kind: 'at_most', value: 15 },
  note: 'CPU per JSON request less that of transport-only.ts: our own server and client',
} as const;

const BEYOND_BARE = {
  figure: 'CPU per JSON request beyond the bare proxy',
  limit: null,
  note: 'what the features cost beside a proxy of node:http and undici that has none',
} as const;

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
      toBeyondRow(rounds, 'transport', POLICY),
      toBeyondRow(rounds, 'bare', BEYOND_BARE),
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

/** Our gateway with a workload of another name in place of the one that is asked for. */
function translated(subject: Subject, dialect: UpstreamDialect): Subject {
  const lane = (workload: WorkloadName): Lane =>
    subject.lane(workload === 'small' ? `small_${dialect}` : `stream_100_${dialect}`);
  return { ...subject, name: `omnix to ${dialect}`, lane };
}

/** OpenAI's dialect in, another one upstream, against OpenAI's on both sides; one gateway. */
export async function measureTranslated(context: Context): Promise<SectionResult> {
  const omnix = context.subjects.find(({ name }) => name === 'omnix');
  if (omnix === undefined) return { rows: [], facts: [] };
  const dialects = ['anthropic', 'gemini'] as const;
  const subjects = [omnix, ...dialects.map((dialect) => translated(omnix, dialect))];
  const rows: Row[] = [];
  const facts: Fact[] = [];
  const kinds = [
    { workload: 'small', what: 'JSON chat', rounds: context.scale.jsonRounds, value: 1.35 },
    { workload: 'stream_100', what: '100-chunk stream', rounds: context.scale.streamRounds },
  ] as const;
  for (const kind of kinds) {
    const measured = await measureCpuRounds(
      { ...context, subjects },
      {
        workload: kind.workload,
        subjects: subjects.map(({ name }) => name),
        concurrency: CONCURRENCY,
        rounds: kind.rounds,
      },
    );
    const same = measured.get('omnix');
    for (const dialect of dialects) {
      const other = measured.get(`omnix to ${dialect}`);
      if (same === undefined || other === undefined) continue;
      rows.push({
        figure: `${kind.what} translated to ${dialect}, CPU against the same dialect`,
        unit: 'x',
        limit: 'value' in kind ? { kind: 'at_most', value: kind.value } : null,
        values: ratiosOf(other.usPerRequest, same.usPerRequest),
        note: 'how many times as much',
        errors: same.errors + other.errors,
      });
    }
    facts.push(...toFacts(measured, `CPU per ${kind.what}, translated or not`));
  }
  return { rows, facts };
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
