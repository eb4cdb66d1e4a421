/** What a client and a call may be told, checked before anything is sent. */
import { OmniXError } from './errors.ts';
import { isBrowser, readEnvironment } from './runtime.ts';

type HeaderValues = Readonly<Record<string, string>>;

export interface ClientOptions {
  /** `sk-omx-...`. Default: the environment variable OMNIX_API_KEY. */
  readonly apiKey?: string | undefined;
  /** With or without `/v1`. Default: OMNIX_BASE_URL, or a gateway on this machine. */
  readonly baseURL?: string | undefined;
  /** Milliseconds of silence after which the other side is given up. Default: 10 minutes. */
  readonly timeout?: number | undefined;
  /** How many times a request is tried again. Default: 2. */
  readonly maxRetries?: number | undefined;
  /** Sent with every request. */
  readonly defaultHeaders?: HeaderValues | undefined;
  /** Instead of the runtime's own. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

export interface CallOptions {
  /** US dollars: a request that could cost more is refused (402) before it is sent on. */
  readonly maxCost?: number | string | undefined;
  /** For a POST: a repetition with the same key and body gets the same answer. Default: random. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: HeaderValues | undefined;
  readonly timeout?: number | undefined;
  readonly maxRetries?: number | undefined;
}

const CALL_OPTIONS = {
  maxCost: true,
  idempotencyKey: true,
  signal: true,
  headers: true,
  timeout: true,
  maxRetries: true,
} as const satisfies Record<keyof CallOptions, true>;

/**
 * Throws OmniXError for an option that is none. Types do not reach everybody: a limit that is
 * misspelt must not be one that is not there.
 */
export function requireCallOptions(options: CallOptions): void {
  const stranger = Object.keys(options).find((name) => !Object.hasOwn(CALL_OPTIONS, name));
  if (stranger === undefined) return;
  const names = Object.keys(CALL_OPTIONS).join(', ');
  throw new OmniXError(`${stranger}: no option of a call. There are ${names}.`);
}

/** The settings of a client, whole and checked. */
export interface Settings {
  /** Without `/v1`. */
  readonly origin: string;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly headers: HeaderValues;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Writes the key into the headers of a request; held in no member that could be printed. */
  readonly authorize: (headers: Headers) => void;
}

const LOCAL_GATEWAY = 'http://127.0.0.1:8787';
const TIMEOUT_MS = 600_000;
/** What a timer takes: 24 days. */
const TIMEOUT_MS_MAX = 2_147_483_647;
const RETRIES = 2;
const MANAGEMENT_PREFIX = 'sk-omx-mgmt-';

/** Throws OmniXError, which never tells what the key was. */
export function resolveSettings(options: ClientOptions): Settings {
  const apiKey = readKey(options.apiKey ?? readEnvironment('OMNIX_API_KEY'));
  const base = options.baseURL ?? readEnvironment('OMNIX_BASE_URL') ?? LOCAL_GATEWAY;
  const givenFetch = options.fetch;
  return {
    origin: readOrigin(base),
    timeoutMs: requireTimeout(options.timeout ?? TIMEOUT_MS),
    maxRetries: requireRetries(options.maxRetries ?? RETRIES),
    headers: options.defaultHeaders ?? {},
    // Asked for at each call, and with its own `this`, as browsers want it.
    fetch: givenFetch ?? ((url, init) => globalThis.fetch(url, init)),
    authorize: (headers) => headers.set('authorization', `Bearer ${apiKey}`),
  };
}

/** Milliseconds that a timer can count. */
export function requireTimeout(timeout: number): number {
  if (!(timeout > 0)) throw new OmniXError('timeout: expected milliseconds, more than 0');
  return Math.min(timeout, TIMEOUT_MS_MAX);
}

/** A whole number that is not negative. */
export function requireRetries(retries: number): number {
  if (Number.isSafeInteger(retries) && retries >= 0) return retries;
  throw new OmniXError('maxRetries: expected a whole number, 0 or more');
}

function readKey(given: string | undefined): string {
  const key = given?.trim() ?? '';
  if (key === '') {
    throw new OmniXError('apiKey is missing: give it to the client, or set OMNIX_API_KEY.');
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new OmniXError('apiKey holds characters that no key has. Copy it again.');
  }
  if (key.startsWith(MANAGEMENT_PREFIX) && isBrowser()) {
    throw new OmniXError(
      'A management key does not belong into a browser, where everybody who sees the page can ' +
        'read it. Keep it on a server; a page takes an inference key with a small limit.',
    );
  }
  return key;
}

function readOrigin(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new OmniXError('baseURL: expected an http or https URL, such as https://example.com/v1');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new OmniXError('baseURL: leave out user, password, "?" and "#"');
  }
  return url.href.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '');
}
