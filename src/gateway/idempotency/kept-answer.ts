/** An answer as it is kept: what a later request with the same key gets again. */
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import type { HeaderList } from '#base/sink.ts';
import { z } from '#wire/z.ts';

export interface KeptAnswer {
  readonly status: number;
  /** Without those that belong to one request alone. */
  readonly headers: HeaderList;
  readonly streamed: boolean;
  readonly body: Uint8Array;
}

/** Larger bodies are not kept (money.md, rule 13). */
export const KEPT_BODY_BYTES_MAX = 1024 * 1024;

/** What every answer has of its own. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'x-request-id',
  'openai-processing-ms',
  'openai-version',
]);

/** Says that nothing ran for this answer, and nothing is charged. */
export const REPLAYED_HEADER = ['idempotent-replayed', 'true'] as const;

export function keptHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !OWN_HEADERS.has(name));
}

const headSchema = z.object({
  status: z.int(),
  streamed: z.boolean(),
  headers: z.array(z.tuple([z.string(), z.string()])),
});

const LINE_END = 0x0a;

/** A line of JSON, and the body. */
export function encodeAnswer({ body, ...head }: KeptAnswer): Uint8Array {
  return concatBytes([toBytes(`${JSON.stringify(head)}\n`), body]);
}

/** Throws where these bytes are no such answer. */
export function decodeAnswer(bytes: Uint8Array): KeptAnswer {
  const end = bytes.indexOf(LINE_END);
  const head = headSchema.parse(JSON.parse(toText(bytes.subarray(0, end))));
  return { ...head, body: bytes.subarray(end + 1) };
}
