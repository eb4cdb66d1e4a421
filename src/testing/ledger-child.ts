/**
 * A process that serves requests from a ledger until it is killed: for tests of kill -9. Arguments:
 * DATABASE_URL, data directory. It prints one line for each request when that request's answer
 * would have been complete.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { silentLog } from '#base/log.ts';
import { nanoUsd } from '#base/money.ts';
import { createLedger } from '#ledger/create-ledger.ts';
import { nodeJournalFiles } from '#ledger/journal-files.node.ts';
import { openFileJournal } from '#ledger/journal.node.ts';
import type { PrepaidLedger } from '#ledger/ledger.ts';
import { readOwnerId } from '#ledger/owner.node.ts';
import { nodeSchedule } from '#ledger/schedule.node.ts';
import { openPostgres } from '#store/postgres.node.ts';

const CONCURRENCY = 16;
const HOLD = nanoUsd(2_000_000n);
const STDOUT = 1;
/** Small, so that segments end and are deleted while the process runs. */
const SEGMENT_BYTES = 20_000;

async function serveForEver(ledger: PrepaidLedger): Promise<void> {
  for (let round = 0; ; round += 1) {
    const requestId = newId('req_');
    const held = await ledger.hold({
      requestId,
      organizationId: 'org_rig',
      keyId: 'key_rig',
      keyLimited: round % 2 === 0,
      book: 'live',
      amount: HOLD,
    });
    if (!held.ok) throw new Error(`no hold: ${held.error.reason}`);
    await ledger.open(held.value, 0, nanoUsd(1000n));
    if (round % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    const cost = nanoUsd(BigInt(1 + (round % 7)) * 100_000n);
    const settled = await ledger.settle(held.value, { attempt: 0, cost, detail: '{"child":true}' });
    if (!settled.ok) throw new Error(settled.error.cause);
    // Synchronously: what is printed was answered, whatever happens to this process next.
    writeSync(STDOUT, `${requestId} ${cost}\n`);
  }
}

const [url = '', directory = ''] = process.argv.slice(2);
const ledger = createLedger({
  database: openPostgres({ at: url, connectionsMax: 4 }),
  journal: openFileJournal({
    files: nodeJournalFiles(join(directory, 'journal')),
    log: silentLog,
    segmentBytesMax: SEGMENT_BYTES,
  }),
  clock: systemClock,
  log: silentLog,
  schedule: nodeSchedule,
  ownerId: readOwnerId(directory),
});
const recovered = await ledger.recover();
if (!recovered.ok) throw new Error(recovered.error.cause);
await Promise.all(Array.from({ length: CONCURRENCY }, () => serveForEver(ledger)));
