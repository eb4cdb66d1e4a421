/**
 * Bodies of the management routes: small JSON objects, read and checked before anything looks at
 * them.
 */
import { toText } from '#base/bytes.ts';
import { JSON_NUMBER, JSON_OBJECT, type JsonIndex } from '#base/json-index.ts';
import { scanJson, type JsonProblem } from '#base/json-scan.ts';
import { findLaterHeader } from '#wire/chat/later.ts';
import { GatewayError } from '#wire/errors.ts';
import {
  invalidJson,
  nestingTooDeep,
  notYetAvailable,
  repeatedKey,
  requestTooLarge,
} from '#wire/refusals.ts';
import { parseStrict, type StrictForm } from '#wire/strict.ts';
import type { z } from '#wire/z.ts';

const BODY_BYTES_MAX = 64 * 1024;
const LIMITS = { depthMax: 16, indexDepth: 1 };
const JSON_MEDIA_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads and checks a body of `form`. Throws a GatewayError (400, 413, 415) that names what is
 * wrong; the numbers of its amounts are taken digit by digit.
 */
export async function readForm<Schema extends z.ZodType>(
  request: Request,
  form: StrictForm<Schema>,
): Promise<z.output<Schema>> {
  checkHeaders(request.headers);
  const bytes = await readBytes(request);
  if (bytes.length === 0) throw invalidJson('the body is empty');
  const scanned = scanJson(bytes, LIMITS);
  if (!scanned.ok) throw refuse(scanned.error);
  const index = scanned.value;
  if (index.kind(index.root) !== JSON_OBJECT) throw invalidJson('the body must be an object');
  const body: unknown = JSON.parse(toText(bytes));
  return parseStrict(form, withExactAmounts(body, index, form.amounts));
}

function withExactAmounts(body: unknown, index: JsonIndex, amounts: readonly string[]): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const exact = amounts
    .map((field) => [field, index.member(index.root, field)] as const)
    .filter(([, node]) => node >= 0 && index.kind(node) === JSON_NUMBER)
    .map(([field, node]) => [field, index.raw(node)] as const);
  // A key "__proto__" of the body stays a key: spreading defines, it does not assign.
  return { ...body, ...Object.fromEntries(exact) };
}

function refuse(problem: JsonProblem): GatewayError {
  if (problem.kind === 'repeated_key') return repeatedKey(problem.key);
  if (problem.kind === 'depth') return nestingTooDeep(LIMITS.depthMax);
  return invalidJson(`${problem.message} (at byte ${problem.offset})`);
}

function checkHeaders(headers: Headers): void {
  for (const [name] of headers) {
    const later = findLaterHeader(name);
    if (later !== null) throw notYetAvailable(later);
  }
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('unsupported_media_type', {
      message: 'Send the body as it is, without a content-encoding.',
    });
  }
  if (!JSON_MEDIA_TYPE.test(headers.get('content-type') ?? '')) {
    throw new GatewayError('unsupported_media_type');
  }
  if (Number(headers.get('content-length') ?? 0) > BODY_BYTES_MAX) throw tooLarge();
}

function tooLarge(): GatewayError {
  return requestTooLarge('body', BODY_BYTES_MAX);
}

/** Throws a GatewayError (400, 413). Stops reading at the limit, whatever the headers said. */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const buffer = new Uint8Array(BODY_BYTES_MAX);
  let length = 0;
  for (;;) {
    const { done, value } = await readChunk(reader);
    if (done) return buffer.subarray(0, length);
    if (length + value.length > BODY_BYTES_MAX) {
      await reader.cancel();
      throw tooLarge();
    }
    buffer.set(value, length);
    length += value.length;
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function readChunk(reader: Reader): ReturnType<Reader['read']> {
  try {
    return await reader.read();
  } catch (cause) {
    throw new GatewayError('invalid_json', { message: 'The body broke off.', cause });
  }
}
