/** An operation and its data, as what goes over the wire. */
import { OmniXError } from './errors.ts';
import { OPERATIONS, type Operations } from './generated/operations.ts';
import { requireCallOptions, type CallOptions, type Settings } from './options.ts';
import { newIdempotencyKey } from './runtime.ts';

const IDEMPOTENCY_KEY = 'idempotency-key';

export type OperationId = keyof Operations;

type Query = Readonly<Record<string, string | number | undefined>>;

/** What an operation takes: its body, the parts of its path, its query. */
export type DataOf<Id extends OperationId> = Omit<Operations[Id]['data'], 'url'>;

interface AnyData {
  readonly body?: unknown;
  readonly path?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
}

export interface WireRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly idempotencyKey: string | null;
}

export interface Asked {
  readonly id: OperationId;
  readonly data: AnyData;
  readonly accept: string;
}

/** The same for every try: a repetition keeps its Idempotency-Key. */
export function toWireRequest(asked: Asked, settings: Settings, options: CallOptions): WireRequest {
  requireCallOptions(options);
  const { id, data, accept } = asked;
  const { method, path } = OPERATIONS[id];
  const headers = toHeaders(settings.headers, options.headers ?? {}, { accept });
  if (options.maxCost !== undefined) {
    setHeader(headers, 'x-omnix-max-cost', toDecimal(options.maxCost));
  }
  if (method === 'POST') {
    const key = options.idempotencyKey ?? headers.get(IDEMPOTENCY_KEY) ?? newIdempotencyKey();
    setHeader(headers, IDEMPOTENCY_KEY, key);
  }
  if (data.body !== undefined) headers.set('content-type', 'application/json');
  settings.authorize(headers);
  return {
    url: settings.origin + fillPath(path, data.path ?? {}) + toSearch(data.query ?? {}),
    init: {
      method,
      headers,
      // The gateway never redirects: a body must not follow where somebody else points.
      redirect: 'manual',
      ...(data.body === undefined ? {} : { body: JSON.stringify(data.body) }),
    },
    idempotencyKey: headers.get(IDEMPOTENCY_KEY),
  };
}

/** Later ones win. */
function toHeaders(...all: readonly Readonly<Record<string, string>>[]): Headers {
  const headers = new Headers();
  for (const [name, value] of all.flatMap((some) => Object.entries(some))) {
    setHeader(headers, name, value);
  }
  return headers;
}

/** What a runtime says of a value that it does not take would show the value: it may be a key. */
function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    throw new OmniXError(`The header "${name}" cannot be sent: its value is no line of Latin-1.`);
  }
}

/** As the gateway reads amounts: without an exponent. */
function toDecimal(amount: number | string): string {
  if (typeof amount === 'string') return amount;
  const text = amount.toFixed(9);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Each part is one segment, whatever is in it: slashes of a model's name become %2F. */
function fillPath(path: string, parts: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const part = parts[name] ?? '';
    if (/^\.{0,2}$/.test(part)) throw new OmniXError(`${name}: "${part}" is not a name`);
    return encodeURIComponent(part);
  });
}

function toSearch(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
