/**
 * The journal: what it says is written can be read again, however the file ends and whatever the
 * disk does.
 */
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { silentLog } from '#base/log.ts';
import { fromUsageLine, toUsageLine } from '#store/ledger-post.ts';
import { FaultyFiles } from '#testing/ledger-rig.ts';

import { nodeJournalFiles } from './journal-files.node.ts';
import { openFileJournal } from './journal.node.ts';
import {
  type Journal,
  type JournalRecord,
  readSegment,
  toLine,
  toOpenJson,
  toVoidJson,
} from './journal.ts';

const WRITTEN = { ok: true, value: undefined };

let directory: string;
let files: FaultyFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'omnix-journal-'));
  files = new FaultyFiles(nodeJournalFiles(directory));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const openRecord = (requestId: string) => ({
  requestId,
  attempt: 0,
  organizationId: 'org_a',
  keyId: 'key_a',
  book: 'live' as const,
  hold: 5n,
  inputCost: 3n,
  admittedAtMs: 1_800_000_000_000,
});

const outcomeEvent = (requestId: string, detail: string) => ({
  requestId,
  attempt: 0,
  organizationId: 'org_a',
  keyId: 'key_a',
  book: 'live' as const,
  kind: 'outcome' as const,
  cost: 9_007_199_254_740_993n,
  creditClaim: 2n,
  budgetClaim: 1n,
  platformCost: 0n,
  admittedAtMs: 1_800_000_000_000,
  detail,
});

const openLine = (requestId: string): string => {
  const json = toOpenJson(openRecord(requestId));
  return toLine(json, crc32(json));
};

function start(segmentBytesMax?: number): Journal<string> {
  const journal = openFileJournal<string>({
    files,
    log: silentLog,
    ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }),
  });
  journal.listen({
    outcomesWritten: () => undefined,
    outcomesUnwritten: () => Promise.resolve(false),
  });
  return journal;
}

async function readAll(journal: Journal<string>): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for await (const { content } of journal.readPast()) records.push(...content.records);
  return records;
}

const segments = (): string[] => readdirSync(directory).toSorted();

describe('a record', () => {
  it('is read as it was written, any detail letter by letter', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc
          .string({ unit: 'binary' })
          .filter((text) => text.isWellFormed() && !/[\n\u001f]/.test(text)),
        (detail, id) => {
          const json = toUsageLine(outcomeEvent(id, detail));
          const line = Buffer.from(toLine(json, crc32(json)));
          const { records } = readSegment(line, crc32);
          expect(records).toEqual([{ type: 'outcome', event: outcomeEvent(id, detail) }]);
        },
      ),
    );
  });

  it('promise 2: of an outcome is read also as it was written before 2026-11-21, as JSON', () => {
    const detail = '{"d":1, "text":"\\u0000,\\"d\\":é"}';
    const json =
      '{"t":"outcome","r":"req_1","a":0,"o":"org_a","k":"key_a","b":"live",' +
      `"c":"9007199254740993","l":"2","g":"1","m":1800000000000,"d":${detail}}`;
    const { records, damaged } = readSegment(Buffer.from(toLine(json, crc32(json))), crc32);
    expect(records).toEqual([{ type: 'outcome', event: outcomeEvent('req_1', detail) }]);
    expect(damaged).toBe(0);
  });

  it('stays one line of twelve fields, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\n', '\u001f', 'a', '"') }), (text) => {
        const line = toUsageLine(outcomeEvent(`req_${text}`, `{"a":1,${text}}`));
        const { requestId, detail } = fromUsageLine(line);
        expect(line).not.toContain('\n');
        // Postgres refuses a NUL, so that such an id is not taken for another one.
        expect(requestId).toBe(`req_${text.replaceAll(/[\n\u001f]/g, '\0')}`);
        expect(detail).toBe(`{"a":1,${text.replaceAll(/[\n\u001f]/g, ' ')}}`);
      }),
    );
  });

  it('of each kind survives the way through the file', async () => {
    const journal = start();
    const opened = journal.append(toOpenJson(openRecord('req_1')));
    journal.appendOutcome(toUsageLine(outcomeEvent('req_2', '{"d":"x"}')), 'two');
    journal.appendVoid(toVoidJson('req_1'), opened);
    expect(await opened.written()).toEqual(WRITTEN);
    expect(await readAll(start())).toEqual([
      { type: 'open', open: openRecord('req_1') },
      { type: 'outcome', event: outcomeEvent('req_2', '{"d":"x"}') },
      { type: 'void', requestId: 'req_1' },
    ]);
  });

  it('is in the file when its promise resolves, many in one write', async () => {
    const journal = start();
    const batches = Array.from({ length: 100 }, (_, index) =>
      journal.append(toOpenJson(openRecord(`req_${index}`))),
    );
    expect(segments()).toEqual([]);
    await batches[0]?.written();
    expect(new Set(batches).size).toBe(1);
    expect(await readAll(start())).toHaveLength(100);
  });
});

describe('a file that ends anywhere', () => {
  it('promise 2: cut at every byte of its last record gives all records before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), fc.json(), (before, detail) => {
        const json = toUsageLine(outcomeEvent('req_last', detail));
        const last = Buffer.from(toLine(json, crc32(json)));
        const first = Buffer.from(
          Array.from({ length: before }, (_, index) => openLine(`req_${index}`)).join(''),
        );
        for (let cut = 0; cut < last.length; cut += 1) {
          const content = readSegment(Buffer.concat([first, last.subarray(0, cut)]), crc32);
          expect(content.records).toHaveLength(before);
          expect(content).toMatchObject({ damaged: 0, tornBytes: cut });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('never throws, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        readSegment(bytes, crc32);
      }),
    );
  });

  it('with one byte changed loses that record only, and says so', () => {
    const lines = ['req_1', 'req_2', 'req_3'].map(openLine);
    const second = lines[1] ?? '';
    for (let at = 0; at < second.length - 1; at += 1) {
      const broken = Buffer.from(second);
      broken[at] = (broken[at] ?? 0) ^ 0x01;
      const bytes = Buffer.concat([
        Buffer.from(lines[0] ?? ''),
        broken,
        Buffer.from(lines[2] ?? ''),
      ]);
      const content = readSegment(bytes, crc32);
      expect(content.records.map((record) => record.type)).toEqual(['open', 'open']);
      expect(content.damaged).toBeGreaterThan(0);
    }
  });

  it('is not appended to by the next process', async () => {
    writeFileSync(join(directory, '0000000007.journal'), openLine('req_1').slice(0, -5));
    const journal = start();
    await journal.append(toOpenJson(openRecord('req_2'))).written();
    expect(segments()).toEqual(['0000000007.journal', '0000000008.journal']);
  });
});

describe('a disk that fails', () => {
  it('continues a short write until all is written', async () => {
    files.writeMax = 7;
    expect(
      await start()
        .append(toOpenJson(openRecord('req_1')))
        .written(),
    ).toEqual(WRITTEN);
    expect(await readAll(start())).toHaveLength(1);
  });

  it('full: tells all who wait, cuts off what was torn, and goes on when there is room', async () => {
    const journal = start();
    await journal.append(toOpenJson(openRecord('req_1'))).written();
    files.room = 30;
    const failed = journal.append(toOpenJson(openRecord('req_2')));
    const also = journal.appendOutcome(toUsageLine(outcomeEvent('req_3', '{}')), 'three');
    expect(await failed.written()).toMatchObject({
      ok: false,
      error: { reason: 'journal_unwritable', cause: 'ENOSPC' },
    });
    expect(await also.kept()).toMatchObject({ ok: false });
    expect(readFileSync(join(directory, segments()[0] ?? ''), 'utf8')).toBe(openLine('req_1'));
    files.room = Number.POSITIVE_INFINITY;
    expect(await journal.append(toOpenJson(openRecord('req_4'))).written()).toEqual(WRITTEN);
    const past = await readAll(start());
    expect(past.map((record) => record.type === 'open' && record.open.requestId)).toEqual([
      'req_1',
      'req_4',
    ]);
  });

  it('full for real (/dev/full): tells why', async () => {
    const real = nodeJournalFiles(directory);
    const journal = openFileJournal<string>({
      files: { ...real, create: () => openSync('/dev/full', 'a') },
      log: silentLog,
    });
    const written = await journal.append(toOpenJson(openRecord('req_1'))).written();
    expect(written).toMatchObject({ ok: false, error: { cause: 'ENOSPC' } });
  });

  it('with an error in the middle of a write that cannot be cut off starts a new file', async () => {
    const journal = start();
    await journal.append(toOpenJson(openRecord('req_1'))).written();
    files.room = 10;
    files.truncate = () => {
      throw new Error('injected');
    };
    await journal.append(toOpenJson(openRecord('req_2'))).written();
    files.room = Number.POSITIVE_INFINITY;
    await journal.append(toOpenJson(openRecord('req_3'))).written();
    expect(segments()).toHaveLength(2);
    expect(await readAll(start())).toHaveLength(2);
  });
});

describe('segments', () => {
  const SEGMENT = 400;

  it('end when they are full, and go when nobody needs their records any more', async () => {
    const journal = start(SEGMENT);
    const batches = [];
    for (let index = 0; index < 12; index += 1) {
      const batch = journal.append(toOpenJson(openRecord(`req_${index}`)));
      await batch.written();
      batches.push(batch);
    }
    const full = segments().length;
    expect(full).toBeGreaterThan(3);
    for (const batch of batches.slice(1)) journal.release(batch, 1);
    // The first has the record that is still needed, the last one is being written.
    expect(segments()).toHaveLength(2);
    for (const batch of batches.slice(0, 1)) journal.release(batch, 1);
    expect(segments()).toHaveLength(1);
    await journal.close();
    expect(segments()).toEqual([]);
  });

  it('with a void stay for as long as the segment of what it made void', async () => {
    const journal = start(SEGMENT);
    const opened = journal.append(toOpenJson(openRecord('req_1')));
    const stays = journal.append(toOpenJson(openRecord('req_2')));
    await opened.written();
    const filler = journal.append(toOpenJson(openRecord('req_3')));
    await filler.written();
    journal.appendVoid(toVoidJson('req_1'), opened);
    journal.flush();
    for (const requestId of ['req_4', 'req_5', 'req_6']) {
      const batch = journal.append(toOpenJson(openRecord(requestId)));
      await batch.written();
      journal.release(batch, 1);
    }
    journal.release(filler, 1);
    const records = await readAll(start());
    expect(records).toContainEqual({ type: 'void', requestId: 'req_1' });
    journal.release(stays, 1);
    await journal.close();
    expect(segments()).toEqual([]);
  });

  it('keeps aside a damaged one when the others go', async () => {
    writeFileSync(join(directory, '0000000001.journal'), openLine('req_1'));
    writeFileSync(join(directory, '0000000002.journal'), `broken\n${openLine('req_2')}`);
    await start().dropPast(new Set(['0000000002.journal']));
    expect(segments()).toEqual(['0000000002.journal.kept']);
  });

  it('never get the name of one that was kept aside, so that it is never overwritten', async () => {
    for (const round of ['1', '2', '3']) {
      await start()
        .append(toOpenJson(openRecord(`req_${round}`)))
        .written();
      const [name = ''] = segments().filter((segment) => segment.endsWith('.journal'));
      await start().dropPast(new Set([name]));
    }
    expect(segments().map((name) => readFileSync(join(directory, name), 'utf8'))).toEqual([
      openLine('req_1'),
      openLine('req_2'),
      openLine('req_3'),
    ]);
  });
});
