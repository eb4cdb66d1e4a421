/**
 * CPU time per request, in rounds in which the subjects take turns: A B C A B C. What disturbs the
 * machine for a while disturbs all of them, and the ratios within a round stay meaningful.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { LoadResult } from './load-protocol.ts';
import { failuresOf } from './load-protocol.ts';
import type { Context } from './section.ts';
import { describeFailures } from './section.ts';
import type { Subject, SubjectName } from './subjects.ts';
import type { WorkloadName } from './workloads.ts';

export interface RoundsPlan {
  readonly workload: WorkloadName;
  readonly subjects: readonly SubjectName[];
  readonly concurrency: number;
  readonly rounds: number;
}

/** One value per round. */
export interface CpuSeries {
  readonly usPerRequest: number[];
  readonly postgresUsPerRequest: number[];
  readonly perSecond: number[];
  errors: number;
}

export type CpuRounds = ReadonlyMap<SubjectName, CpuSeries>;

/** What is written after the last answer (usage, settlement) belongs to the requests, too. */
const AFTERMATH_MS = 200;
const PROBE_REQUESTS = 64;
/** Between being measured, a subject was idle: its caches are cold again. */
const REWARM_SHARE = 0.25;

/** What does not change from round to round. */
interface Turn {
  readonly context: Context;
  readonly subject: Subject;
  readonly plan: RoundsPlan;
}

async function ask({ context, subject, plan }: Turn, requests: number): Promise<LoadResult> {
  const result = await context.load.run({
    kind: 'closed',
    lane: subject.lane(plan.workload),
    concurrency: plan.concurrency,
    requests: Math.max(plan.concurrency, Math.round(requests)),
  });
  if (failuresOf(result) > 0) {
    context.say(`${subject.name} ${plan.workload} failed: ${describeFailures(result)}`);
  }
  return result;
}

function ratePerMs(result: LoadResult): number {
  const answered = result.lanes.reduce((sum, lane) => sum + lane.latency.count, 0);
  return answered / result.elapsedMs;
}

/** Warms the subject up and returns how many requests it answers in a millisecond. */
async function warmUp(turn: Turn, durationMs: number): Promise<number> {
  const halfMs = durationMs / 2;
  const probe = await ask(turn, PROBE_REQUESTS);
  const first = await ask(turn, ratePerMs(probe) * halfMs);
  const second = await ask(turn, ratePerMs(first) * halfMs);
  return ratePerMs(second);
}

/** Once, before anything is measured: by then every hot path is compiled. */
export async function warmUpAll(context: Context): Promise<void> {
  const plan = { workload: 'small', subjects: [], concurrency: 32, rounds: 0 } as const;
  for (const subject of context.subjects) {
    const rate = await warmUp({ context, subject, plan }, context.scale.firstWarmUpMs);
    context.say(`${subject.name} is warm: ${(rate * 1000).toFixed(0)} requests a second`);
  }
}

async function measure(turn: Turn, requests: number, series: CpuSeries): Promise<void> {
  const { subject } = turn;
  await ask(turn, requests * REWARM_SHARE);
  await sleep(AFTERMATH_MS);
  const before = subject.cpu();
  const result = await ask(turn, requests);
  await sleep(AFTERMATH_MS);
  const after = subject.cpu();
  const answered = result.lanes.reduce((sum, lane) => sum + lane.latency.count, 0);
  series.usPerRequest.push(((after.own - before.own) * 1e6) / answered);
  series.postgresUsPerRequest.push(((after.postgres - before.postgres) * 1e6) / answered);
  series.perSecond.push(ratePerMs(result) * 1000);
  series.errors += failuresOf(result);
}

/** Subjects that could not be started are missing from the result. */
export async function measureCpuRounds(context: Context, plan: RoundsPlan): Promise<CpuRounds> {
  const subjects = context.subjects.filter((subject) => plan.subjects.includes(subject.name));
  const turns: { turn: Turn; requests: number; series: CpuSeries }[] = [];
  for (const subject of subjects) {
    const turn = { context, subject, plan };
    const requests = (await warmUp(turn, context.scale.warmUpMs)) * context.scale.sliceMs;
    const series = { usPerRequest: [], postgresUsPerRequest: [], perSecond: [], errors: 0 };
    turns.push({ turn, requests, series });
  }
  const rounds = new Map(turns.map(({ turn, series }) => [turn.subject.name, series] as const));
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const { turn, requests, series } of turns) await measure(turn, requests, series);
    context.say(`${plan.workload}, round ${round} of ${plan.rounds}: ${lastOf(rounds)}`);
  }
  return rounds;
}

function lastOf(series: CpuRounds): string {
  return [...series]
    .map(([name, own]) => `${name} ${(own.usPerRequest.at(-1) ?? Number.NaN).toFixed(0)} us`)
    .join(', ');
}
