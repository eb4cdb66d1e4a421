/** What one process holds: open streams, memory, and how soon it is there. */
import { failuresOf } from './load-protocol.ts';
import { openFilesMax } from './machine.ts';
import type { Omnix } from './omnix.ts';
import type { Row } from './ratios.ts';
import { formatFigure } from './ratios.ts';
import type { Context, Fact, SectionResult } from './section.ts';
import { describeFailures } from './section.ts';
import type { Subject } from './subjects.ts';

/** A stream lasts 64 x 20 ms; all are asked for before the first ends. */
const RAMP_MS = 400;
/** Each stream is two sockets in a gateway; the rest is for what it opens besides. */
const FILES_PER_STREAM = 2;
const FILES_BESIDE = 500;

/**
 * The number of streams that were open at once, or that ended whole, whichever is less; per round.
 */
async function openStreams(context: Context, subject: Subject): Promise<number> {
  const result = await context.load.run({
    kind: 'burst',
    lane: subject.lane('stream_64_slow'),
    streams: context.scale.openStreams,
    rampMs: RAMP_MS,
  });
  const whole = result.lanes[0]?.latency.count ?? 0;
  const broken = failuresOf(result);
  const how = broken === 0 ? '' : ` (${describeFailures(result)})`;
  const wallMs = result.elapsedMs.toFixed(0);
  context.say(
    `${subject.name}: ${whole} streams whole, ${broken} broken${how}, ` +
      `${result.askedMax} open at once, ${result.begunMax} had begun, done in ${wallMs} ms`,
  );
  return Math.min(whole, result.askedMax);
}

export async function measureOpenStreams(context: Context): Promise<SectionResult> {
  const wanted = context.scale.openStreams;
  const enough = openFilesMax() >= wanted * FILES_PER_STREAM + FILES_BESIDE;
  const series = new Map<Subject, number[]>();
  const measured = context.subjects.filter(({ name }) => name === 'omnix' || name === 'bare');
  const rounds = enough ? context.scale.otherRounds : 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of measured) {
      const values = series.get(subject) ?? [];
      series.set(subject, [...values, await openStreams(context, subject)]);
    }
  }
  const ours = [...series].find(([subject]) => subject.name === 'omnix')?.[1] ?? [];
  const row: Row = {
    figure: 'open streams on one process, whole and open at once',
    unit: 'streams',
    limit: { kind: 'at_least', value: wanted },
    values: ours,
    note: toStreamsNote(enough, ours.length > 0),
    errors: 0,
  };
  return { rows: [row], facts: [...series].map(([subject, v]) => toStreamsFact(subject, v)) };
}

function toStreamsNote(enoughFiles: boolean, measured: boolean): string {
  if (!enoughFiles) return `too few open files are allowed (ulimit -Hn is ${openFilesMax()})`;
  return measured
    ? '64 events, 20 ms apart; a stream counts when nothing is missing'
    : 'not started';
}

function toStreamsFact(subject: Subject, values: readonly number[]): Fact {
  const { peakMiB } = subject.memory();
  return {
    figure: 'streams open at once and whole (fewest of the rounds); peak memory so far',
    subject: subject.name,
    value: `${Math.min(...values)}; ${peakMiB.toFixed(0)} MiB`,
  };
}

/** Last of all: the gateway is stopped and started again on its data directory. */
export async function measureStart(context: Context): Promise<SectionResult> {
  const { omnix } = context;
  const values = omnix === null ? [] : await measureStarts(context, omnix);
  const row: Row = {
    figure: 'start to ready on an initialised data directory',
    unit: 's',
    limit: { kind: 'at_most', value: 2 },
    values,
    note: omnix === null ? 'omnix was not started' : 'from spawning the process to 200 on /ready',
    errors: 0,
  };
  return { rows: [row], facts: [] };
}

async function measureStarts(context: Context, omnix: Omnix): Promise<number[]> {
  const values: number[] = [];
  for (let round = 1; round <= context.scale.otherRounds; round += 1) {
    const seconds = (await omnix.restart()) / 1000;
    values.push(seconds);
    context.say(`start ${round}: ready after ${formatFigure(seconds, 's')}`);
  }
  return values;
}

/** What each subject holds after everything before: read before the gateway is started anew. */
export function measureMemory(context: Context): Promise<SectionResult> {
  const facts = context.subjects.map((subject): Fact => {
    const memory = subject.memory();
    return {
      figure: 'memory of the serving process now / at most',
      subject: subject.name,
      value: `${memory.nowMiB.toFixed(0)} / ${memory.peakMiB.toFixed(0)} MiB`,
    };
  });
  return Promise.resolve({ rows: [], facts });
}
