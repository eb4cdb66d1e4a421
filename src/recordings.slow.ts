/**
 * Every recorded chat exchange of the OpenAI family, through the running gateway over real sockets:
 * what the hosts said is what the official client gets, and what it asked is what the hosts were
 * asked. A committed floor keeps the numbers from sinking unseen.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeUpstream, type FakeUpstream } from '#testing/fake-upstream.ts';
import { SSE_HEADERS } from '#testing/fake-upstream-replies.ts';
import { compareReadings } from '#testing/recordings-compare.ts';
import { replayCuts, type CutStream } from '#testing/recordings-cuts.ts';
import floor from '#testing/recordings-floor.json' with { type: 'json' };
import { numberOf, objectOf } from '#testing/recordings-json.ts';
import { readRecorded } from '#testing/recordings-reading.ts';
import {
  abridge,
  configFor,
  replay,
  requestFor,
  type Replay,
  type Rig,
} from '#testing/recordings-replay.ts';
import {
  PLACES,
  findRecordings,
  loadRecordings,
  type RecordedExchange,
  type Recordings,
} from '#testing/recordings-rows.ts';
import { startServer, type TestServer } from '#testing/server.ts';

const folder = findRecordings(fileURLToPath(new URL('..', import.meta.url)));
const mayBeAbsent = process.env['OMNIX_NO_RECORDINGS'] === '1';
const NOTHING: Recordings = { exchanges: [], skipped: [] };
const CUT_BYTES_MAX = 4_096;

const { exchanges, skipped } = folder === null ? NOTHING : loadRecordings(folder);

interface Row {
  replayed: number;
  equal: number;
  cuts: number;
  readonly skipped: Map<string, number>;
}

it('the recordings are there, or their absence is wanted', () => {
  if (folder === null) process.stdout.write('recordings: ABSENT\n');
  expect(folder !== null || mayBeAbsent, 'set OMNIX_NO_RECORDINGS=1 to go without').toBe(true);
});

describe.runIf(folder !== null)('recorded exchanges', () => {
  const table = new Map<string, Row>(
    PLACES.map(({ name }) => [name, { replayed: 0, equal: 0, cuts: 0, skipped: new Map() }]),
  );
  const rowOf = (place: string): Row => {
    const row = table.get(place);
    if (row === undefined) throw new Error(`no place ${place}`);
    return row;
  };
  for (const { place, reason } of skipped) {
    const reasons = rowOf(place).skipped;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  let fake: FakeUpstream;
  let server: TestServer;
  let rig: Rig;

  beforeAll(async () => {
    fake = await startFakeUpstream();
    server = await startServer({ config: configFor(exchanges, fake.origin) });
    await server.grant('100000');
    rig = { fake, server, key: (await server.createKey()).key };
  });

  afterAll(async () => {
    process.stdout.write(print(table));
    await server?.dispose();
    await fake?.close();
  });

  describe.each(PLACES)('$name, through the running gateway', ({ name }) => {
    const own = exchanges.filter((exchange) => exchange.place === name);

    it('gives the official client what was recorded', async () => {
      const replays: Replay[] = [];
      for (const exchange of own) replays.push(await replay(rig, exchange));
      const unequal = replays.filter(({ differences }) => differences.length > 0);
      const row = rowOf(name);
      row.replayed = replays.length;
      row.equal = replays.length - unequal.length;
      for (const { exchange, differences } of unequal) {
        process.stdout.write(`${exchange.label}\n  ${differences.join('\n  ')}\n`);
      }
      expect({ replayed: row.replayed, equal: row.equal }).toEqual(atLeastFloor(name, row));
    });

    it.runIf(own.some(isSample))('gives the same when cut at every byte boundary', async () => {
      const sample = own.filter(isSample).toSorted((a, b) => a.body.length - b.body.length)[0];
      if (sample === undefined) throw new Error('no sample');
      const { cuts, unequal } = await replayCuts(rig, cutStream(sample));
      rowOf(name).cuts = cuts;
      expect(unequal).toEqual([]);
      expect(cuts).toBeGreaterThanOrEqual(floorOf(name, 'cuts'));
    });
  });
});

/** A whole, healthy stream. */
function isSample(exchange: RecordedExchange): boolean {
  if (!exchange.streamed || exchange.status !== 200) return false;
  return readRecorded(exchange.body, true).error === null;
}

/** The sample, shortened, judged by what was recorded of it. */
function cutStream(sample: RecordedExchange): CutStream {
  const body = abridge(sample.body, CUT_BYTES_MAX);
  const recorded = readRecorded(body, true);
  return {
    prefix: `/${sample.place}/`,
    headers: SSE_HEADERS,
    bytes: Buffer.from(body),
    request: requestFor(sample),
    judge: (text) => compareReadings(recorded, readRecorded(text, true)),
  };
}

function floorOf(place: string, number: 'replayed' | 'equal' | 'cuts'): number {
  return numberOf(objectOf(objectOf(floor)[place])[number]) ?? 0;
}

/** The row itself where it reaches the floor: so that a failure shows both numbers. */
function atLeastFloor(place: string, row: Row): { replayed: number; equal: number } {
  return {
    replayed: Math.max(row.replayed, floorOf(place, 'replayed')),
    equal: Math.max(row.equal, floorOf(place, 'equal')),
  };
}

function print(table: ReadonlyMap<string, Row>): string {
  const lines = ['', 'recordings'.padEnd(20) + 'replayed  equal  cuts  skipped'];
  for (const [place, row] of table) {
    const reasons = [...row.skipped].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const counts = [
      String(row.replayed).padStart(8),
      String(row.equal).padStart(5),
      String(row.cuts).padStart(4),
    ];
    lines.push(`${place.padEnd(20)}${counts.join('  ')}  ${reasons === '' ? '-' : reasons}`);
  }
  return `${lines.join('\n')}\n`;
}
