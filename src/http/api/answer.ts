/**
 * JSON answers of the management routes. An amount is written as an exact JSON number: its digits
 * come from the integer and never pass through a float.
 */
import type { HeaderList } from '#base/sink.ts';
import { formatUsd, nanoUsd } from '#base/money.ts';

/** JSON with amounts: a bigint stands for nano-dollars and is written in dollars. */
export type MoneyJson =
  | null
  | boolean
  | number
  | string
  | bigint
  | readonly MoneyJson[]
  | { readonly [key: string]: MoneyJson };

function isList(value: MoneyJson): value is readonly MoneyJson[] {
  return Array.isArray(value);
}

/** JSON text. Numbers must be finite. */
export function toMoneyJson(value: MoneyJson): string {
  if (typeof value === 'bigint') return formatUsd(nanoUsd(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(toMoneyJson).join(',')}]`;
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${toMoneyJson(member)}`,
  );
  return `{${members.join(',')}}`;
}

export interface JsonAnswer {
  readonly status: number;
  /** JSON text. */
  readonly json: string;
  readonly headers?: HeaderList;
}

/** Answers hold what belongs to one caller: no cache may keep them. */
export function toResponse(requestId: string, answer: JsonAnswer): Response {
  const headers = new Headers({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  });
  for (const [name, value] of answer.headers ?? []) headers.append(name, value);
  return new Response(answer.json, { status: answer.status, headers });
}

/** ISO 8601 in UTC. */
export function toIsoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
