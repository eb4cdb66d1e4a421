/**
 * Every recorded chat exchange of the hosts with dialects of their own, through the running gateway
 * over real sockets: what a host said is what the official OpenAI client gets, and what was asked
 * of the host, brought into chat form, asks it the same. Committed floors keep the numbers from
 * sinking unseen; what differs by nature stands in docs/translation.md, made here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeUpstream, type FakeUpstream } from '#testing/fake-upstream.ts';
import { replayCuts, type CutStream } from '#testing/recordings-cuts.ts';
import floor from '#testing/recordings-floor.json' with { type: 'json' };
import { numberOf, objectOf, parse } from '#testing/recordings-json.ts';
import { compareNative } from '#testing/recordings-native-compare.ts';
import { readNative } from '#testing/recordings-native-reading.ts';
import {
  nativeConfigFor,
  plainRequest,
  replayNative,
  type NativeReplay,
} from '#testing/recordings-native-replay.ts';
import {
  NATIVE_PLACES,
  loadNativeRecordings,
  type NativeExchange,
  type NativeRecordings,
} from '#testing/recordings-native-rows.ts';
import { readAnswer, readSse } from '#testing/recordings-reading.ts';
import type { Rig } from '#testing/recordings-replay.ts';
import { findRecordings } from '#testing/recordings-rows.ts';
import { startServer, type TestServer } from '#testing/server.ts';
import { replaceTable } from '#testing/translation-doc.ts';
import { tally, toTable, type Tally } from '#testing/translation-differences.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = findRecordings(root);
const mayBeAbsent = process.env['OMNIX_NO_RECORDINGS'] === '1';
const writesDocs = process.env['OMNIX_WRITE_DOCS'] === '1';
const docPath = `${root}docs/translation.md`;
const NOTHING: NativeRecordings = { exchanges: [], skipped: [] };
const CUT_BYTES_MAX = 6_000;

const { exchanges, skipped } = folder === null ? NOTHING : loadNativeRecordings(folder);

interface Row {
  replayed: number;
  equal: number;
  cuts: number;
  /** Requests that were recorded, and those that say the same again but for explained changes. */
  requests: number;
  same: number;
  readonly skipped: Map<string, number>;
}

type Count = 'replayed' | 'equal' | 'cuts' | 'requests' | 'same';

it('the recordings are there, or their absence is wanted', () => {
  if (folder === null) process.stdout.write('recordings: ABSENT\n');
  expect(folder !== null || mayBeAbsent, 'set OMNIX_NO_RECORDINGS=1 to go without').toBe(true);
});

describe.runIf(folder !== null)('recorded exchanges of other dialects', () => {
  const table = new Map<string, Row>(NATIVE_PLACES.map(({ name }) => [name, emptyRow(name)]));
  const differences: Tally = new Map();
  let fake: FakeUpstream;
  let server: TestServer;
  let rig: Rig;

  beforeAll(async () => {
    fake = await startFakeUpstream();
    server = await startServer({
      config: nativeConfigFor(exchanges, fake.origin),
    });
    await server.grant('100000');
    rig = { fake, server, key: (await server.createKey()).key };
  });

  afterAll(async () => {
    process.stdout.write(print(table));
    await server?.dispose();
    await fake?.close();
  });

  describe.each(NATIVE_PLACES)('$name, through the running gateway', ({ name }) => {
    const own = exchanges.filter((exchange) => exchange.place === name);
    const row = table.get(name) ?? emptyRow(name);

    it('gives the official client what was recorded, and asks the host the same', async () => {
      const replays: NativeReplay[] = [];
      for (const exchange of own) {
        const replay = await replayNative(rig, exchange);
        rig.fake.forget();
        replays.push(replay);
        report(replay);
        tally(differences, replay);
      }
      count(row, replays);
      expect(row).toEqual(atLeastFloor(name, row, ['replayed', 'equal', 'requests', 'same']));
    });

    it('gives the same when cut at every byte boundary', async () => {
      for (const sample of samplesOf(own)) {
        const { cuts, unequal } = await replayCuts(rig, cutStream(sample));
        expect(unequal, sample.label).toEqual([]);
        row.cuts += cuts;
      }
      expect(row).toEqual(atLeastFloor(name, row, ['cuts']));
    });
  });

  it('has an explanation for every difference of requests, in the committed table', () => {
    const made = toTable(differences);
    const doc = readFileSync(docPath, 'utf8');
    const next = replaceTable(doc, 'requests', made);
    if (writesDocs) writeFileSync(docPath, next);
    expect(doc === next || writesDocs, 'run again with OMNIX_WRITE_DOCS=1').toBe(true);
    expect(made).not.toContain('NOT EXPLAINED');
  });
});

function emptyRow(name: string): Row {
  const reasons = new Map<string, number>();
  for (const { place, reason } of skipped) {
    if (place === name) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return { replayed: 0, equal: 0, cuts: 0, requests: 0, same: 0, skipped: reasons };
}

function report({ exchange, differences, request }: NativeReplay): void {
  const lines = [...differences];
  if (request !== null && request.refused !== null) lines.push(`request: ${request.refused}`);
  if (lines.length === 0) return;
  process.stdout.write(`${exchange.label}\n  ${lines.join('\n  ')}\n`);
}

function count(row: Row, replays: readonly NativeReplay[]): void {
  row.replayed = replays.length;
  row.equal = replays.filter((replay) => replay.differences.length === 0).length;
  row.requests = replays.filter(({ request }) => request !== null).length;
  row.same = replays.filter(({ request }) => request !== null && request.refused === null).length;
}

/** One healthy stream of each kind: text, tool calls, reasoning; the smallest that there are. */
function samplesOf(own: readonly NativeExchange[]): NativeExchange[] {
  const healthy = own
    .filter(({ streamed, status, body }) => streamed && status === 200 && body.length > 0)
    .filter(({ body }) => body.length <= CUT_BYTES_MAX)
    .toSorted((a, b) => a.body.length - b.body.length);
  const readings = healthy.map((exchange) => ({ exchange, reading: readNative(exchange) }));
  const complete = readings.filter(({ reading }) => reading.finish !== null && !reading.error);
  const kinds = [
    complete.find(({ reading }) => reading.text !== '' && reading.calls.length === 0),
    complete.find(({ reading }) => reading.calls.length > 0),
    complete.find(({ reading }) => reading.reasoning !== '' || reading.signatures.length > 0),
  ];
  const found = kinds.flatMap((kind) => (kind === undefined ? [] : [kind.exchange]));
  return [...new Set(found)];
}

function cutStream(sample: NativeExchange): CutStream {
  const recorded = readNative(sample);
  return {
    prefix: `/${sample.place}/`,
    headers: [['content-type', sample.contentType]],
    bytes: sample.body,
    request: plainRequest(sample),
    judge: (text) => {
      const events = readSse(text).map(parse);
      return compareNative(recorded, { reading: readAnswer(events), events });
    },
  };
}

function floorOf(place: string, number: Count): number {
  return numberOf(objectOf(objectOf(floor.translated)[place])[number]) ?? 0;
}

/** The row itself where it reaches the floor: so that a failure shows both numbers. */
function atLeastFloor(place: string, row: Row, numbers: readonly Count[]): Row {
  const wanted = { ...row };
  for (const number of numbers) wanted[number] = Math.max(row[number], floorOf(place, number));
  return wanted;
}

function print(table: ReadonlyMap<string, Row>): string {
  const head = 'translated'.padEnd(12) + 'replayed  equal   cuts  requests  same  skipped';
  const lines = ['', head];
  for (const [place, row] of table) {
    const reasons = [...row.skipped].map(([reason, number]) => `${number} ${reason}`).join(', ');
    const counts = [
      String(row.replayed).padStart(8),
      String(row.equal).padStart(5),
      String(row.cuts).padStart(5),
      String(row.requests).padStart(8),
      String(row.same).padStart(4),
    ];
    lines.push(`${place.padEnd(12)}${counts.join('  ')}  ${reasons === '' ? '-' : reasons}`);
  }
  return `${lines.join('\n')}\n`;
}
