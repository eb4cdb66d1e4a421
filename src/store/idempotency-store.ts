/**
 * The statements on idempotency records. Ids and fingerprints go in and come out as hexadecimal
 * text, answers as bytes that are encrypted already.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, msOf, nullableTextOf, oneOf, onlyRow, textOf } from './decode.ts';
import { byteaOf } from './key-store.ts';

const STATES = ['claimed', 'kept', 'interrupted', 'left', 'too_large'] as const;

/**
 * `claimed`: it runs. `kept`: its answer is stored. Else it ran and there is no answer: it was
 * `interrupted`, its client `left` in mid-stream, or the answer was `too_large`.
 */
export type RecordState = (typeof STATES)[number];

/** Which record, and whose claim on it. */
export interface RecordClaim {
  readonly id: string;
  readonly requestId: string;
}

export interface RecordDraft extends RecordClaim {
  readonly owner: string;
  readonly fingerprint: string;
  readonly nowMs: number;
  readonly expiresAtMs: number;
  /** Requests that claimed it and never ran: their claims count for nothing. */
  readonly givenBack: readonly string[];
}

export interface StoredRecord extends RecordClaim {
  readonly owner: string;
  readonly fingerprint: string;
  readonly state: RecordState;
  readonly answer: Uint8Array | null;
  readonly claimedAtMs: number;
}

/** Claims the record, unless it is there and has not expired. Returns whether this call did. */
export async function claimRecord(database: Database, draft: RecordDraft): Promise<boolean> {
  const { id, requestId, owner, fingerprint, nowMs, expiresAtMs, givenBack } = draft;
  const rows = await database.run(sql`
    insert into idempotency_records as known
      (id, request_id, owner, fingerprint, state, claimed_at, expires_at)
    values (${byteaOf(id)}::bytea, ${requestId}, ${owner}, ${byteaOf(fingerprint)}::bytea,
      'claimed', ${new Date(nowMs)}::timestamptz, ${new Date(expiresAtMs)}::timestamptz)
    on conflict (id) do update set
      request_id = excluded.request_id, owner = excluded.owner,
      fingerprint = excluded.fingerprint, state = excluded.state, answer = null,
      claimed_at = excluded.claimed_at, expires_at = excluded.expires_at
    where known.expires_at <= excluded.claimed_at
      or known.request_id = any(${sql.param(givenBack)}::text[])
    returning 1 as claimed`);
  return rows.length > 0;
}

/** Null: there is none. */
export async function readRecord(database: Database, id: string): Promise<StoredRecord | null> {
  const [row] = await database.run(sql`
    select request_id, owner, encode(fingerprint, 'hex') as fingerprint, state,
      encode(answer, 'base64') as answer, claimed_at
    from idempotency_records where id = ${byteaOf(id)}::bytea`);
  if (row === undefined) return null;
  const answer = nullableTextOf(row, 'answer');
  return {
    id,
    requestId: textOf(row, 'request_id'),
    owner: textOf(row, 'owner'),
    fingerprint: textOf(row, 'fingerprint'),
    state: oneOf(row, 'state', STATES),
    answer: answer === null ? null : fromBase64(answer),
    claimedAtMs: msOf(row, 'claimed_at'),
  };
}

export interface RecordEnd {
  readonly state: Exclude<RecordState, 'claimed'>;
  /** Of `kept`, and of no other. */
  readonly answer: Uint8Array | null;
}

/** Ends a claim. Returns false where it no longer stands. */
export async function endRecord(
  database: Database,
  { id, requestId }: RecordClaim,
  { state, answer }: RecordEnd,
): Promise<boolean> {
  const text = answer === null ? null : toBase64(answer);
  const rows = await database.run(sql`
    update idempotency_records set state = ${state}, answer = decode(${text}::text, 'base64')
    where id = ${byteaOf(id)}::bytea and request_id = ${requestId} and state = 'claimed'
    returning 1 as ended`);
  return rows.length > 0;
}

/** Gives a claim back, as if it had never been. */
export async function deleteClaim(
  database: Database,
  { id, requestId }: RecordClaim,
): Promise<void> {
  await database.run(sql`
    delete from idempotency_records
    where id = ${byteaOf(id)}::bytea and request_id = ${requestId} and state = 'claimed'`);
}

/** Whatever this owner still has open was interrupted. Returns how many that were. */
export async function interruptClaims(database: Database, owner: string): Promise<number> {
  const rows = await database.run(sql`
    with interrupted as (
      update idempotency_records set state = 'interrupted'
      where owner = ${owner} and state = 'claimed' returning 1
    ) select count(*) as count from interrupted`);
  return Number(bigintOf(onlyRow(rows), 'count'));
}

/** Deletes at most so many expired records. Returns how many that were. */
export async function deleteExpired(
  database: Database,
  nowMs: number,
  recordsMax: number,
): Promise<number> {
  const rows = await database.run(sql`
    with expired as (
      select id from idempotency_records where expires_at <= ${new Date(nowMs)}::timestamptz
      order by expires_at limit ${recordsMax} for update skip locked
    ), deleted as (
      delete from idempotency_records using expired
      where idempotency_records.id = expired.id returning 1
    ) select count(*) as count from deleted`);
  return Number(bigintOf(onlyRow(rows), 'count'));
}

/** Arguments of one call: more than some ten thousand overflow the stack. */
const CHARACTERS_PER_CALL = 8_192;

/** A third of what hexadecimal digits cost on the way to the database and back. */
function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let from = 0; from < bytes.length; from += CHARACTERS_PER_CALL) {
    binary += String.fromCharCode(...bytes.subarray(from, from + CHARACTERS_PER_CALL));
  }
  return btoa(binary);
}

/** Takes Postgres's lines of 76 characters. */
function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
