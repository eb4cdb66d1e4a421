/** The four ways of asking: closed loop, lanes in turn, constant arrival rate, and all at once. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Connection, Outcome } from './connection.ts';
import { openConnection, toRequestBytes } from './connection.ts';
import type { Meter, OpenCount } from './load-meter.ts';
import { createMeter, createOpenCount } from './load-meter.ts';
import type { Lane, LoadJob, LoadResult } from './load-protocol.ts';

type JobOf<Kind extends LoadJob['kind']> = Extract<LoadJob, { kind: Kind }>;

/** Shared by all lanes of a job. */
interface Counts {
  readonly asked: OpenCount;
  readonly begun: OpenCount;
}

function createCounts(): Counts {
  return { asked: createOpenCount(), begun: createOpenCount() };
}

/** A lane with its bytes, its meter and the connections that wait for work. */
interface Road {
  readonly lane: Lane;
  readonly request: Buffer;
  readonly meter: Meter;
  readonly counts: Counts;
  readonly idle: Connection[];
}

function createRoad(lane: Lane, counts: Counts): Road {
  return { lane, request: toRequestBytes(lane), meter: createMeter(), counts, idle: [] };
}

function openOn(road: Road): Promise<Connection> {
  return openConnection({ lane: road.lane, onBegin: () => road.counts.begun.begin() });
}

function askOn(road: Road, connection: Connection): Promise<Outcome> {
  return new Promise((resolve) => {
    road.counts.asked.begin();
    connection.ask(road.request, (outcome) => {
      road.counts.asked.end();
      if (outcome.reads > 0) road.counts.begun.end();
      resolve(outcome);
    });
  });
}

/** One request on a connection of the road, which is opened if none is idle. Never rejects. */
async function askOnce(road: Road): Promise<void> {
  const arrivedAt = performance.now();
  try {
    const connection = takeIdle(road) ?? (await openOn(road));
    const waitedMs = performance.now() - arrivedAt;
    road.meter.add(await askOn(road, connection), waitedMs);
    if (connection.usable()) road.idle.push(connection);
  } catch (error) {
    road.meter.fail(error instanceof Error ? error.message : 'connect failed');
  }
}

/** The most recently used one, so that a rate that needs few connections uses few. */
function takeIdle(road: Road): Connection | null {
  for (;;) {
    const connection = road.idle.pop();
    if (connection === undefined) return null;
    if (connection.usable()) return connection;
  }
}

function closeAll(roads: readonly Road[]): void {
  for (const road of roads) for (const connection of road.idle) connection.close();
}

function toResult(roads: readonly Road[], startedAt: number, counts: Counts): LoadResult {
  closeAll(roads);
  return {
    lanes: roads.map((road) => road.meter.result()),
    elapsedMs: performance.now() - startedAt,
    askedMax: counts.asked.max(),
    begunMax: counts.begun.max(),
  };
}

async function runClosed(job: JobOf<'closed'>): Promise<LoadResult> {
  const counts = createCounts();
  const road = createRoad(job.lane, counts);
  const startedAt = performance.now();
  let left = job.requests;
  async function worker(): Promise<void> {
    while (left > 0) {
      left -= 1;
      await askOnce(road);
    }
  }
  await Promise.all(Array.from({ length: job.concurrency }, worker));
  return toResult([road], startedAt, counts);
}

async function runInTurn(job: JobOf<'in_turn'>): Promise<LoadResult> {
  const counts = createCounts();
  const roads = job.lanes.map((lane) => createRoad(lane, counts));
  for (const road of roads) road.idle.push(await openOn(road));
  const startedAt = performance.now();
  for (let count = 0; count < job.requestsPerLane; count += 1) {
    for (const road of roads) await askOnce(road);
  }
  return toResult(roads, startedAt, counts);
}

/**
 * Requests are due at fixed moments. The clock of the loop is coarser than that, so those that came
 * due leave together; they count from then, because the lateness of the generator is not the
 * gateway's.
 */
async function runFlow(road: Road, perSecond: number, durationMs: number): Promise<void> {
  const startedAt = performance.now();
  const total = Math.round((perSecond * durationMs) / 1000);
  const running: Promise<void>[] = [];
  while (running.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000));
    while (running.length < due) running.push(askOnce(road));
    await sleep(1);
  }
  await Promise.all(running);
}

async function runArrivals(job: JobOf<'arrivals'>): Promise<LoadResult> {
  const counts = createCounts();
  const flows = job.flows.map((flow) => ({ ...flow, road: createRoad(flow.lane, counts) }));
  const startedAt = performance.now();
  await Promise.all(flows.map((flow) => runFlow(flow.road, flow.perSecond, job.durationMs)));
  return toResult(
    flows.map((flow) => flow.road),
    startedAt,
    counts,
  );
}

/** So many connections at a time are opened, lest the listener's queue overflow. */
const OPEN_BATCH = 100;

async function runBurst(job: JobOf<'burst'>): Promise<LoadResult> {
  const counts = createCounts();
  const road = createRoad(job.lane, counts);
  while (road.idle.length < job.streams) {
    const count = Math.min(OPEN_BATCH, job.streams - road.idle.length);
    road.idle.push(...(await Promise.all(Array.from({ length: count }, () => openOn(road)))));
  }
  const startedAt = performance.now();
  const durationMs = Math.max(1, job.rampMs);
  await runFlow(road, (job.streams * 1000) / durationMs, durationMs);
  return toResult([road], startedAt, counts);
}

/** Rejects only where the job itself cannot be run; failed requests are counted in the result. */
export function runJob(job: LoadJob): Promise<LoadResult> {
  switch (job.kind) {
    case 'closed':
      return runClosed(job);
    case 'in_turn':
      return runInTurn(job);
    case 'arrivals':
      return runArrivals(job);
    case 'burst':
      return runBurst(job);
  }
}
