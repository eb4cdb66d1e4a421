/**
 * Real processes, really killed: what they answered is posted, once and in full, and nothing stays
 * held.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';

import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { grantCredit, setBudgetLimit } from '#store/ledger-grants.ts';
import { readCredit } from '#store/ledger-reads.ts';
import { verifyLedger } from '#store/ledger-verify.ts';
import { createTestDatabase } from '#testing/postgres.ts';

import { createLedger } from './create-ledger.ts';
import { nodeJournalFiles } from './journal-files.node.ts';
import { openFileJournal } from './journal.node.ts';
import { readOwnerId } from './owner.node.ts';
import { nodeSchedule } from './schedule.node.ts';

const CHILD = fileURLToPath(new URL('../testing/ledger-child.ts', import.meta.url));
const KILLS = 15;
const AMOUNT = 900_000_000_000n;

/**
 * Runs a child until it has answered so many requests, kills it, and returns what it had answered.
 */
async function answeredUntilKilled(
  url: string,
  directory: string,
  answers: number,
): Promise<ReadonlyMap<string, string>> {
  const child = spawn(process.execPath, [CHILD, url, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let text = '';
  let lines = 0;
  for await (const chunk of child.stdout) {
    text += String(chunk);
    lines = text.split('\n').length - 1;
    if (lines >= answers) child.kill('SIGKILL');
  }
  await closed;
  if (lines < answers) throw new Error(`the child ended by itself after ${lines} answers`);
  const whole = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return new Map(
    whole.map((line) => {
      const [requestId = '', cost = ''] = line.split(' ');
      return [requestId, cost];
    }),
  );
}

it(`promise 2: ${KILLS} times kill -9 under load`, async () => {
  const { database, url, drop } = await createTestDatabase();
  const directory = mkdtempSync(join(tmpdir(), 'omnix-killed-'));
  await grantCredit(database, {
    id: 'grant_1',
    organizationId: 'org_rig',
    book: 'live',
    amount: AMOUNT,
    reason: 'test',
    fundedBy: 'promo',
    source: 'test',
    sourceId: '1',
  });
  await setBudgetLimit(database, { keyId: 'key_rig', organizationId: 'org_rig', limit: AMOUNT });
  const answered = new Map<string, string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    // From before the first posting until long after it.
    const some = await answeredUntilKilled(url, directory, 1 + kill * kill * 20);
    for (const [requestId, cost] of some) answered.set(requestId, cost);
  }
  const ledger = createLedger({
    database,
    journal: openFileJournal({
      files: nodeJournalFiles(join(directory, 'journal')),
      log: silentLog,
    }),
    clock: systemClock,
    log: silentLog,
    schedule: nodeSchedule,
    ownerId: readOwnerId(directory),
  });
  expect(await ledger.recover()).toMatchObject({ ok: true, value: { damaged: 0 } });
  const rows = await database.run(
    sql`SELECT request_id, kind, cost_nano::text AS cost, detail FROM usage_records`,
  );
  const posted = new Map(rows.map((row) => [row['request_id'], row]));
  expect(posted.size).toBe(rows.length);
  for (const [requestId, cost] of answered) {
    expect(posted.get(requestId)).toMatchObject({ kind: 'outcome', cost });
  }
  const credit = await readCredit(database, 'org_rig', 'live');
  const charged = rows.reduce((sum, row) => sum + BigInt(String(row['cost'])), 0n);
  expect(credit).toEqual({ granted: AMOUNT, leased: 0n, available: AMOUNT - charged });
  expect(await verifyLedger(database)).toEqual([]);
  expect(readdirSync(join(directory, 'journal'))).toEqual([]);
  await ledger.close();
  await drop();
  rmSync(directory, { recursive: true });
});
