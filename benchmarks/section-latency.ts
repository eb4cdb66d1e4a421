/**
 * What a client waits: the latency that a gateway adds, and whether large bodies hold up small
 * ones.
 */
import type { Latency } from './histogram.ts';
import type { Lane, LaneResult } from './load-protocol.ts';
import { failuresOf } from './load-protocol.ts';
import type { Row } from './ratios.ts';
import { formatFigure, ratiosOf, spreadOf } from './ratios.ts';
import type { Context, Fact, SectionResult } from './section.ts';
import { describeFailures } from './section.ts';
import type { SubjectName } from './subjects.ts';
import { directLane } from './subjects.ts';

type Who = SubjectName | 'upstream alone';

interface NamedLane {
  readonly who: Who;
  readonly lane: Lane;
}

/** Each series holds one value per round, in milliseconds. */
interface AddedSeries {
  readonly p50Ms: number[];
  readonly p99Ms: number[];
}

function lanesOf(context: Context): NamedLane[] {
  return [
    { who: 'upstream alone', lane: directLane(context.mockPort, 'small') },
    ...context.subjects.map((subject) => ({ who: subject.name, lane: subject.lane('small') })),
  ];
}

function appendTo(series: Map<Who, AddedSeries>, who: Who, latency: Latency): void {
  const own = series.get(who) ?? { p50Ms: [], p99Ms: [] };
  own.p50Ms.push(latency.p50Ms);
  own.p99Ms.push(latency.p99Ms);
  series.set(who, own);
}

function differences(values: readonly number[], base: readonly number[]): number[] {
  return values.map((value, round) => value - (base[round] ?? Number.NaN));
}

/** On a quiet machine the upstream itself answers in a tenth of this, in all but few cases. */
const QUIET_P99_MS = 1;

/** Waiting is disturbed by whatever else runs, unlike CPU time: the reader must know. */
function describeQuiet(upstreamP99Ms: readonly number[]): string {
  const { median } = spreadOf(upstreamP99Ms);
  if (median <= QUIET_P99_MS) return '';
  return `; the machine was busy (p99 of the upstream alone: ${formatFigure(median, 'ms')}): repeat`;
}

function toAddedRow(series: ReadonlyMap<Who, AddedSeries>, errors: number, which: 50 | 99): Row {
  const ours = series.get('omnix');
  const direct = series.get('upstream alone');
  const measured = ours !== undefined && direct !== undefined;
  const key = which === 50 ? 'p50Ms' : 'p99Ms';
  return {
    figure: `added latency at concurrency 1, p${which}`,
    unit: 'ms',
    limit: { kind: 'at_most', value: which === 50 ? 0.25 : 1 },
    values: measured ? differences(ours[key], direct[key]) : [],
    note: measured
      ? `asked in turn with the upstream alone${describeQuiet(direct.p99Ms)}`
      : 'omnix was not started',
    errors,
  };
}

/** Direct and through each gateway in turn, request by request, on warm connections. */
export async function measureAddedLatency(context: Context): Promise<SectionResult> {
  const named = lanesOf(context);
  const lanes = named.map(({ lane }) => lane);
  const series = new Map<Who, AddedSeries>();
  let errors = 0;
  await context.load.run({ kind: 'in_turn', lanes, requestsPerLane: 300 });
  for (let round = 1; round <= context.scale.latencyRounds; round += 1) {
    const requestsPerLane = context.scale.inTurnRequests;
    const result = await context.load.run({ kind: 'in_turn', lanes, requestsPerLane });
    errors += failuresOf(result);
    for (const [index, { who }] of named.entries()) {
      const lane = result.lanes[index];
      if (lane !== undefined) appendTo(series, who, lane.latency);
    }
    context.say(`latency, round ${round}: ${describeP50s(named, result.lanes)}`);
  }
  const facts: Fact[] = [...series].map(([subject, own]) => ({
    figure: 'latency at concurrency 1, p50 / p99',
    subject,
    value: [own.p50Ms, own.p99Ms].map((v) => formatFigure(spreadOf(v).median, 'ms')).join(' / '),
  }));
  return { rows: [toAddedRow(series, errors, 50), toAddedRow(series, errors, 99)], facts };
}

function describeP50s(named: readonly NamedLane[], lanes: readonly LaneResult[]): string {
  return named
    .map(({ who }, index) => `${who} ${lanes[index]?.latency.p50Ms.toFixed(3)} ms`)
    .join(', ');
}

const SMALL_PER_SECOND = 250;
const LARGE_PER_SECOND = 5;

interface LargePair {
  readonly withoutMs: number[];
  readonly withMs: number[];
  errors: number;
}

/** One round for one subject: small ones alone, then beside large ones. */
async function measureBeside(
  context: Context,
  lanes: { readonly small: Lane; readonly large: Lane },
  pair: LargePair,
): Promise<void> {
  const small = { lane: lanes.small, perSecond: SMALL_PER_SECOND };
  const large = { lane: lanes.large, perSecond: LARGE_PER_SECOND };
  const durationMs = context.scale.largeBodiesMs;
  const without = await context.load.run({ kind: 'arrivals', flows: [small], durationMs });
  const beside = await context.load.run({ kind: 'arrivals', flows: [small, large], durationMs });
  pair.withoutMs.push(without.lanes[0]?.latency.p99Ms ?? Number.NaN);
  pair.withMs.push(beside.lanes[0]?.latency.p99Ms ?? Number.NaN);
  pair.errors += failuresOf(without) + failuresOf(beside);
  const failures = describeFailures(beside);
  if (failures !== '') context.say(`large bodies failed: ${failures}`);
}

function toLanes(context: Context): { who: Who; small: Lane; large: Lane }[] {
  const direct = {
    who: 'upstream alone' as const,
    small: directLane(context.mockPort, 'small'),
    large: directLane(context.mockPort, 'tokens_100k'),
  };
  const measured = context.subjects.filter(({ name }) => name === 'omnix' || name === 'bare');
  return [
    direct,
    ...measured.map((subject) => ({
      who: subject.name,
      small: subject.lane('small'),
      large: subject.lane('tokens_100k'),
    })),
  ];
}

export async function measureLargeBodies(context: Context): Promise<SectionResult> {
  const targets = toLanes(context);
  const pairs = new Map<Who, LargePair>();
  for (let round = 1; round <= context.scale.largeRounds; round += 1) {
    for (const { who, ...lanes } of targets) {
      const pair = pairs.get(who) ?? { withoutMs: [], withMs: [], errors: 0 };
      pairs.set(who, pair);
      await measureBeside(context, lanes, pair);
    }
    context.say(`large bodies, round ${round}: ${describePairs(pairs)}`);
  }
  const ours = pairs.get('omnix');
  const quiet = describeQuiet(pairs.get('upstream alone')?.withoutMs ?? []);
  const load = `${SMALL_PER_SECOND} small/s, ${LARGE_PER_SECOND} large/s${quiet}`;
  const row: Row = {
    figure: 'p99 of small requests beside 100k-token bodies, against without them',
    unit: 'x',
    limit: { kind: 'at_most', value: 2 },
    values: ours === undefined ? [] : ratiosOf(ours.withMs, ours.withoutMs),
    note: ours === undefined ? 'omnix was not started' : load,
    errors: ours?.errors ?? 0,
  };
  return { rows: [row], facts: [...pairs].map(([subject, pair]) => toLargeFact(subject, pair)) };
}

/** The last round: p99 without and beside. */
function describePairs(pairs: ReadonlyMap<Who, LargePair>): string {
  const ms = (values: readonly number[]) => formatFigure(values.at(-1) ?? Number.NaN, 'ms');
  return [...pairs]
    .map(([who, pair]) => `${who} ${ms(pair.withoutMs)} / ${ms(pair.withMs)}`)
    .join(', ');
}

function toLargeFact(subject: Who, pair: LargePair): Fact {
  const [without, beside] = [pair.withoutMs, pair.withMs].map((values) =>
    formatFigure(spreadOf(values).median, 'ms'),
  );
  const ratio = formatFigure(spreadOf(ratiosOf(pair.withMs, pair.withoutMs)).median, 'x');
  return {
    figure: 'p99 of small requests without / beside 100k-token bodies',
    subject,
    value: `${without} / ${beside} (${ratio})${pair.errors > 0 ? `, ${pair.errors} failed` : ''}`,
  };
}
