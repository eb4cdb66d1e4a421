/** Dying: wherever the process is killed, the next one brings everything to an end, once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Log } from '#base/log.ts';
import { setBudgetLimit } from '#store/ledger-grants.ts';
import { postUsage, type UsageEvent } from '#store/ledger-post.ts';
import { readCredit } from '#store/ledger-reads.ts';
import {
  createLedgerRig,
  holdNow,
  holdOf,
  type LedgerProcess,
  type LedgerRig,
  RIG_KEY,
  RIG_ORGANIZATION,
  serve,
  usd,
} from '#testing/ledger-rig.ts';

import { postEvents } from './posting.ts';

let rig: LedgerRig;

beforeEach(async () => {
  rig = await createLedgerRig();
  await rig.grant('10.00');
});

// Also looks whether the books balance.
afterEach(() => rig.drop());

const OUTCOME = { attempt: 0, cost: usd('0.20'), detail: '{"n":1}' };
const journalFiles = (): string[] => readdirSync(join(rig.directory, 'journal'));

async function creditNow(): Promise<{ available: bigint; leased: bigint }> {
  const { available, leased } = await readCredit(rig.database, RIG_ORGANIZATION, 'live');
  return { available, leased };
}

async function balanceOf(accountId: string): Promise<unknown> {
  const [row] = await rig.database.run(
    sql`SELECT balance FROM ledger_accounts WHERE id = ${accountId}`,
  );
  return row?.['balance'] ?? '0';
}

describe('promise 2: killed at each point', () => {
  const untouched = { available: usd('10'), leased: 0n };
  const charged = { available: usd('9.80'), leased: 0n };

  const points: readonly {
    readonly when: string;
    readonly upTo: (process: LedgerProcess, requestId: string) => Promise<void>;
    readonly credit: { readonly available: bigint; readonly leased: bigint };
    readonly kind: string | null;
  }[] = [
    {
      when: 'after the hold',
      upTo: async ({ ledger }, requestId) => {
        await holdNow(ledger, holdOf('1.00', { requestId }));
      },
      credit: untouched,
      kind: null,
    },
    {
      when: 'after the dispatch',
      upTo: async ({ ledger }, requestId) => {
        await ledger.open(await holdNow(ledger, holdOf('1.00', { requestId })), 0, usd('0.03'));
      },
      credit: untouched,
      kind: 'swept',
    },
    {
      when: 'after the outcome is written',
      upTo: async ({ ledger, database }, requestId) => {
        const hold = await holdNow(ledger, holdOf('1.00', { requestId }));
        await ledger.open(hold, 0, usd('0.03'));
        database.mode = 'gone';
        await ledger.settle(hold, OUTCOME);
      },
      credit: charged,
      kind: 'outcome',
    },
    {
      when: 'while it is posted, before the answer',
      upTo: async ({ ledger, database }, requestId) => {
        const hold = await holdNow(ledger, holdOf('1.00', { requestId }));
        await ledger.open(hold, 0, usd('0.03'));
        database.mode = 'loses answers';
        await ledger.settle(hold, OUTCOME);
        await ledger.flush();
      },
      credit: charged,
      kind: 'outcome',
    },
    {
      when: 'after it is posted',
      upTo: async ({ ledger }, requestId) => {
        const hold = await holdNow(ledger, holdOf('1.00', { requestId }));
        await ledger.open(hold, 0, usd('0.03'));
        await ledger.settle(hold, OUTCOME);
        await ledger.flush();
      },
      credit: charged,
      kind: 'outcome',
    },
    {
      when: 'after a hold was released',
      upTo: async ({ ledger }, requestId) => {
        const hold = await holdNow(ledger, holdOf('1.00', { requestId }));
        await ledger.open(hold, 0, usd('0.03'));
        ledger.release(hold);
        await ledger.open(await holdNow(ledger, holdOf('0')), 0, usd('0'));
      },
      credit: untouched,
      kind: null,
    },
  ];

  it.each(points)('$when', async ({ upTo, credit, kind }) => {
    const requestId = 'req_1';
    const first = await rig.start();
    await upTo(first, requestId);
    first.kill();
    const { ledger } = await rig.start();
    expect(await creditNow()).toEqual(credit);
    const receipt = await ledger.readReceipt(RIG_ORGANIZATION, requestId);
    expect(receipt.ok && (receipt.value?.kind ?? null)).toBe(kind);
    expect(journalFiles()).toEqual([]);
  });

  it('in the middle of the recovery, at each of its statements', async () => {
    await setBudgetLimit(rig.database, {
      keyId: RIG_KEY,
      organizationId: RIG_ORGANIZATION,
      limit: usd('9'),
    });
    const first = await rig.start();
    const one = await holdNow(first.ledger, holdOf('1.00', { keyLimited: true }));
    const two = await holdNow(first.ledger, holdOf('1.00', { keyLimited: true }));
    await first.ledger.open(one, 0, usd('0.03'));
    await first.ledger.open(two, 0, usd('0.03'));
    first.database.mode = 'gone';
    await first.ledger.settle(one, OUTCOME);
    first.kill();
    for (let statements = 0; statements < 8; statements += 1) {
      for (const mode of ['gone', 'loses answers'] as const) {
        const dying = await rig.start({ recover: false });
        const run = dying.database.run.bind(dying.database);
        let left = statements;
        dying.database.run = (statement, values) => {
          if (left === 0) dying.database.mode = mode;
          left -= 1;
          return run(statement, values);
        };
        await dying.ledger.recover();
        dying.kill();
      }
    }
    const { ledger } = await rig.start();
    expect(await creditNow()).toEqual(charged);
    expect(await balanceOf('live:provider_cost')).toBe((-usd('0.03')).toString());
    expect(await balanceOf('live:upstream_payable')).toBe(usd('0.03').toString());
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('0.2') } });
  });
});

describe('a start', () => {
  it('gives no hold before it has recovered, and says so when it cannot', async () => {
    const { ledger, database } = await rig.start({ recover: false });
    expect(await serve(ledger, holdOf('0.01'))).toBe('unavailable');
    database.mode = 'gone';
    expect(await ledger.recover()).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    expect(await serve(ledger, holdOf('0.01'))).toBe('unavailable');
    database.mode = 'works';
    expect(await ledger.recover()).toMatchObject({ ok: true });
    expect(await serve(ledger, holdOf('0.01'))).toBe('served');
    await ledger.close();
  });

  it('promise 2: finds every outcome that was not posted, over many segments', async () => {
    const first = await rig.start({ segmentBytesMax: 300 });
    await first.ledger.settle(await holdNow(first.ledger, holdOf('0.10')), OUTCOME);
    await first.ledger.flush();
    first.database.mode = 'gone';
    for (let count = 0; count < 5; count += 1) {
      expect(await serve(first.ledger, holdOf('0.20'))).toBe('served');
    }
    first.kill();
    expect(journalFiles().length).toBeGreaterThan(3);
    const { ledger } = await rig.start({ recover: false });
    expect(await ledger.recover()).toMatchObject({ value: { outcomes: 5, swept: 0, damaged: 0 } });
    expect(await creditNow()).toEqual({ available: usd('8.80'), leased: 0n });
  });

  it.each([
    { where: 'one segment', segmentBytesMax: 1_000_000 },
    { where: 'many segments', segmentBytesMax: 300 },
  ])('promise 2: gives nothing back while all of $where takes too long', async (given) => {
    const first = await rig.start({ segmentBytesMax: given.segmentBytesMax });
    first.database.mode = 'works';
    const holds = [];
    for (let count = 0; count < 5; count += 1) {
      holds.push(await holdNow(first.ledger, holdOf('2.00')));
    }
    first.database.mode = 'gone';
    for (const hold of holds) await first.ledger.settle(hold, OUTCOME);
    first.kill();
    const [files, credit] = [journalFiles(), await creditNow()];
    const slow = sql.raw(`'BEGIN RAISE EXCEPTION USING ERRCODE = ''57014''; END'`);
    await rig.database.run(sql`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS ${slow}`);
    await rig.database.run(sql`CREATE TRIGGER slowing BEFORE INSERT ON usage_records
      FOR EACH ROW EXECUTE FUNCTION slow()`);
    const { ledger } = await rig.start({ recover: false });
    expect(await ledger.recover()).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    expect(await serve(ledger, holdOf('0.01'))).toBe('unavailable');
    expect([journalFiles(), await creditNow()]).toEqual([files, credit]);
    await rig.database.run(sql`DROP FUNCTION slow CASCADE`);
    expect(await ledger.recover()).toMatchObject({ ok: true, value: { outcomes: 5 } });
    expect(await creditNow()).toEqual({ available: usd('9'), leased: 0n });
    expect(journalFiles()).toEqual([]);
  });

  it('promise 2: that finds an old journal again changes nothing', async () => {
    const first = await rig.start();
    const held = await holdNow(first.ledger, holdOf('1.00'));
    await first.ledger.open(held, 0, usd('0.03'));
    await first.ledger.open(await holdNow(first.ledger, holdOf('1.00')), 0, usd('0.03'));
    first.database.mode = 'gone';
    await first.ledger.settle(held, OUTCOME);
    first.kill();
    const [name = ''] = journalFiles();
    const bytes = readFileSync(join(rig.directory, 'journal', name));
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(join(rig.directory, 'journal', name), bytes);
      const next = await rig.start({ recover: false });
      expect(await next.ledger.recover()).toMatchObject({ value: { outcomes: 1, swept: 1 } });
      expect(await creditNow()).toEqual({ available: usd('9.80'), leased: 0n });
      expect(await balanceOf('live:upstream_payable')).toBe(usd('0.03').toString());
      next.kill();
    }
  });

  it('skips a damaged record in the middle, tells of it and keeps the file', async () => {
    const first = await rig.start();
    first.database.mode = 'works';
    const holds = [];
    for (let count = 0; count < 3; count += 1) {
      holds.push(await holdNow(first.ledger, holdOf('1.00')));
    }
    first.database.mode = 'gone';
    for (const hold of holds) await first.ledger.settle(hold, OUTCOME);
    first.kill();
    const [name = ''] = journalFiles();
    const path = join(rig.directory, 'journal', name);
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[1] = (lines[1] ?? '').replace('outcome', 'Outcome');
    writeFileSync(path, lines.join('\n'));
    const events: string[] = [];
    const log: Log = { write: (level, event) => events.push(`${level} ${event}`) };
    await rig.start({ log });
    expect(events).toContain('error journal_damaged');
    expect(journalFiles()).toEqual([`${name}.kept`]);
    expect(await creditNow()).toEqual({ available: usd('9.60'), leased: 0n });
  });

  it('sweeps with the input cost of the latest attempt only', async () => {
    const first = await rig.start();
    const hold = await holdNow(first.ledger, holdOf('1.00'));
    await first.ledger.open(hold, 0, usd('0.03'));
    await first.ledger.open(hold, 1, usd('0.05'));
    first.kill();
    await rig.start();
    expect(await balanceOf('live:provider_cost')).toBe((-usd('0.05')).toString());
  });
});

describe('promise 4: an outcome that comes after the sweep', () => {
  const outcome: UsageEvent = {
    requestId: 'req_late',
    attempt: 0,
    organizationId: RIG_ORGANIZATION,
    keyId: RIG_KEY,
    book: 'live',
    kind: 'outcome',
    cost: usd('0.20'),
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: 0n,
    admittedAtMs: Date.now(),
    detail: '{"late":true}',
  };
  const sweep: UsageEvent = {
    ...outcome,
    kind: 'swept',
    cost: 0n,
    platformCost: usd('0.03'),
    detail: '{"swept":true}',
  };

  it('posts the difference, once', async () => {
    const options = {
      database: rig.database,
      ownerId: 'owner_x',
      log: { write: () => undefined },
    };
    await postUsage(rig.database, 'owner_x', [sweep]);
    for (let round = 0; round < 3; round += 1) await postEvents(options, [outcome]);
    expect(await creditNow()).toEqual({ available: usd('9.80'), leased: 0n });
    expect(await balanceOf('live:upstream_payable')).toBe('0');
    const { ledger } = await rig.start();
    expect(await ledger.readReceipt(RIG_ORGANIZATION, 'req_late')).toMatchObject({
      value: { kind: 'correction', cost: usd('0.2'), detail: '{"late":true}' },
    });
  });

  it('posts the difference also where its detail can be stored as text only', async () => {
    const options = {
      database: rig.database,
      ownerId: 'owner_x',
      log: { write: () => undefined },
    };
    const detail = String.raw`{"text":"\u0000"}`;
    await postUsage(rig.database, 'owner_x', [sweep]);
    expect(await postEvents(options, [{ ...outcome, detail }])).toEqual([]);
    const { ledger } = await rig.start();
    expect(await ledger.readReceipt(RIG_ORGANIZATION, 'req_late')).toMatchObject({
      value: { kind: 'correction', cost: usd('0.2'), detail },
    });
  });

  it('never doubles and never vanishes when both come at the same time', async () => {
    const options = {
      database: rig.database,
      ownerId: 'owner_x',
      log: { write: () => undefined },
    };
    const count = 40;
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const requestId = `req_race${index}`;
        const late = { ...outcome, requestId, id: `${requestId}:0:outcome` };
        const swept = { ...sweep, requestId, id: `${requestId}:0:swept` };
        const both = [
          () => postEvents(options, [late]),
          () => postEvents(options, [swept]),
          () => postEvents(options, [late]),
        ];
        // A different order of dispatch for each, all of them in flight together.
        const turned = [...both.slice(index % 3), ...both.slice(0, index % 3)];
        await Promise.all(turned.map((post) => post()));
        await postEvents(options, [late]);
      }),
    );
    expect(await creditNow()).toEqual({
      available: usd('10') - usd('0.2') * BigInt(count),
      leased: 0n,
    });
    expect(await balanceOf('live:upstream_payable')).toBe('0');
  });
});

describe('a journal that cannot be written', () => {
  it('refuses to open, and leaves nothing behind', async () => {
    const { ledger, files } = await rig.start();
    const hold = await holdNow(ledger, holdOf('1.00'));
    files.failure = 'ENOSPC';
    expect(await ledger.open(hold, 0, usd('0.03'))).toEqual({
      ok: false,
      error: { reason: 'journal_unwritable', cause: 'ENOSPC' },
    });
    ledger.release(hold);
    files.failure = null;
    expect(await serve(ledger, holdOf('10.00'))).toBe('served');
    await ledger.close();
  });

  it('has the database take an outcome at once instead', async () => {
    const { ledger, files } = await rig.start();
    const hold = await holdNow(ledger, holdOf('1.00'));
    await ledger.open(hold, 0, usd('0.03'));
    files.failure = 'EIO';
    expect(await ledger.settle(hold, OUTCOME)).toEqual({ ok: true, value: undefined });
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('0.2') } });
  });

  it('and no database either: charges nothing and says so', async () => {
    const { ledger, files, database } = await rig.start();
    const hold = await holdNow(ledger, holdOf('1.00'));
    await ledger.open(hold, 0, usd('0.03'));
    files.failure = 'EIO';
    database.mode = 'gone';
    expect(await ledger.settle(hold, OUTCOME)).toMatchObject({
      ok: false,
      error: { reason: 'journal_unwritable' },
    });
    files.failure = null;
    database.mode = 'works';
    expect(await serve(ledger, holdOf('10.00'))).toBe('served');
    await ledger.close();
  });
});
