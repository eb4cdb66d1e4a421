/**
 * The usual errors in exact words: each names what is at fault, the limit, and the next step.
 * What a caller sent is quoted only in short, printable form.
 */
import { formatUsd, type NanoUsd } from '#base/money.ts';
import { GatewayError, type LimitSource } from './errors.ts';

const QUOTE_LENGTH_MAX = 120;

/** A caller's own words for a message: printable, of bounded length, in single quotes. */
export function quote(text: string): string {
  // Control characters and line separators would break logs and terminals.
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
  const short = clean.length > QUOTE_LENGTH_MAX ? `${clean.slice(0, QUOTE_LENGTH_MAX)}...` : clean;
  return `'${short}'`;
}

/** `reason` completes "We could not parse the JSON body of your request: ...". */
export function invalidJson(reason: string): GatewayError {
  return new GatewayError('invalid_json', {
    message: `We could not parse the JSON body of your request: ${reason}. Send one JSON object in UTF-8.`,
  });
}

export function repeatedKey(key: string): GatewayError {
  return new GatewayError('repeated_key', {
    message: `The body names the field ${quote(key)} twice. Send each field once.`,
    param: boundedParam(key),
  });
}

export function nestingTooDeep(levelsMax: number): GatewayError {
  return new GatewayError('nesting_too_deep', {
    message: `The body is nested too deeply: at most ${levelsMax} levels are taken.`,
  });
}

export function tooManyFields(fieldsMax: number): GatewayError {
  return new GatewayError('invalid_request_error', {
    message: `The body has too many fields: at most ${fieldsMax} are taken at its top level.`,
  });
}

export function missingParameter(param: string): GatewayError {
  return new GatewayError('missing_required_parameter', {
    message: `Missing required parameter: ${quote(param)}.`,
    param: boundedParam(param),
  });
}

/** `expected` and `got` carry their article: "a string", "an array". */
export function invalidType(param: string, expected: string, got: string): GatewayError {
  return new GatewayError('invalid_type', {
    message: `Invalid type for ${quote(param)}: expected ${expected}, but got ${got} instead.`,
    param: boundedParam(param),
  });
}

/** `expectation` is a sentence part: "expected a number from 0 to 2". */
export function invalidValue(param: string, expectation: string): GatewayError {
  return new GatewayError('invalid_value', {
    message: `Invalid value for ${quote(param)}: ${expectation}.`,
    param: boundedParam(param),
  });
}

/** `place` says where: "POST /v1/keys". All names are told; `param` is the first. */
export function unknownParameter(names: readonly string[], place: string): GatewayError {
  const listed = names.slice(0, 8).map(quote).join(', ');
  const noun = names.length === 1 ? 'parameter' : 'parameters';
  return new GatewayError('unknown_parameter', {
    message: `Unknown ${noun} of ${place}: ${listed}.`,
    param: boundedParam(names[0] ?? ''),
  });
}

/** 400 for a header of ours that is none; `known` are all that there are. */
export function unknownHeader(name: string, known: readonly string[]): GatewayError {
  return new GatewayError('unknown_parameter', {
    message:
      `Unknown header ${quote(name)}. Headers that begin so are this gateway's own: ` +
      `send ${known.join(', ')}, or leave it out.`,
    param: boundedParam(name),
  });
}

/** A use of something of ours whose step has not come. */
export interface LaterUse {
  /** Path of the field, or the header. */
  readonly param: string;
  /** What exactly is not there, where that is not the whole field: the suffix of a model. */
  readonly name?: string;
  /** A whole sentence: what to do instead. */
  readonly instead: string;
}

export function notYetAvailable({ param, name, instead }: LaterUse): GatewayError {
  return new GatewayError('unsupported_parameter', {
    message: `${quote(name ?? param)} is not available yet. ${instead}`,
    param: boundedParam(param),
  });
}

/** 404 for a model, with the nearest names that the key may use. */
/** `message` says since when it is gone, and what takes its place. */
export function modelShutDown(message: string, param = 'model'): GatewayError {
  return new GatewayError('model_not_found', { message, param });
}

export function modelNotFound(
  model: string,
  nearest: readonly string[],
  param = 'model',
): GatewayError {
  const suggestion =
    nearest.length === 0
      ? 'GET /v1/models lists the models that you can use.'
      : `Did you mean ${nearest.map(quote).join(' or ')}? GET /v1/models lists all that you can use.`;
  return new GatewayError('model_not_found', {
    message: `The model ${quote(model)} does not exist or you do not have access to it. ${suggestion}`,
    param,
  });
}

/**
 * 404 for an object, the same whether it is missing or foreign. `what` is "API key",
 * "generation".
 */
export function notFound(what: string, id: string, param = 'id'): GatewayError {
  return new GatewayError('not_found', { message: `There is no ${what} ${quote(id)}.`, param });
}

/** `path` without its query: a query may carry a key. */
export function unknownUrl(method: string, path: string, hint?: string): GatewayError {
  const next = hint ?? 'The API starts at /v1; GET /docs shows its routes.';
  return new GatewayError('unknown_url', {
    message: `There is nothing at this URL: ${quote(`${method} ${path}`)}. ${next}`,
  });
}

export function methodNotAllowed(method: string, allowed: readonly string[]): GatewayError {
  const list = allowed.join(', ');
  return new GatewayError('method_not_allowed', {
    message: `This URL does not take ${quote(method)}. It takes ${list}.`,
    headers: [['allow', list]],
  });
}

const MEBIBYTE = 1024 * 1024;
const KIBIBYTE = 1024;

function sizeText(bytes: number): string {
  if (bytes >= MEBIBYTE && bytes % MEBIBYTE === 0) return `${bytes / MEBIBYTE} MiB`;
  return bytes % KIBIBYTE === 0 ? `${bytes / KIBIBYTE} KiB` : `${bytes} bytes`;
}

/** 413 for a body, 431 for headers. */
export function requestTooLarge(part: 'body' | 'headers', bytesMax: number): GatewayError {
  return new GatewayError('request_too_large', {
    message: `The ${part} of the request may have at most ${sizeText(bytesMax)}.`,
    status: part === 'body' ? 413 : 431,
    limitSource: 'gateway',
  });
}

export function permissionDenied(missing: string): GatewayError {
  return new GatewayError('permission_denied', { message: `Permission denied: ${missing}` });
}

export interface Shortfall {
  /** Highest cost that the request could have. */
  readonly required: NanoUsd;
  readonly available: NanoUsd;
  /** In use by requests that still run. */
  readonly held: NanoUsd;
  /** The key's own limit, where that is what refused. */
  readonly limit: NanoUsd | null;
}

function shortfallText({ required, available, held }: Shortfall): string {
  const running = held > 0n ? ` ($${formatUsd(held)} more is held by requests that still run)` : '';
  return `The request could cost $${formatUsd(required)}; $${formatUsd(available)} is left${running}.`;
}

/** 402: the organization's credit does not cover the worst case; `book` says which credit. */
export function insufficientCredits(shortfall: Shortfall, book: 'live' | 'test'): GatewayError {
  const [kind, how] = book === 'test' ? ['test credit', ' and "mode": "test"'] : ['credit', ''];
  return new GatewayError('insufficient_credits', {
    message:
      `Not enough ${kind}. ${shortfallText(shortfall)} Add ${kind} (POST /v1/credits/grants ` +
      `with a management key${how}), or lower max_completion_tokens.`,
    limitSource: 'account',
  });
}

/** 402: the key's own limit does not cover the worst case. */
export function keyLimitExceeded(shortfall: Shortfall): GatewayError {
  const limit = shortfall.limit === null ? '' : ` of $${formatUsd(shortfall.limit)}`;
  return new GatewayError('key_limit_exceeded', {
    message:
      `The spending limit${limit} of this API key does not cover the request. ${shortfallText(shortfall)} ` +
      'Raise it with PATCH /v1/keys/{hash} and a management key, or lower max_completion_tokens.',
    limitSource: 'key',
  });
}

/** 429. `limit` completes "You reached ...", e.g. "the limit of 60 requests per minute". */
export function rateLimited(
  source: LimitSource,
  limit: string,
  retryAfterMs: number,
): GatewayError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new GatewayError('rate_limit_exceeded', {
    message: `You reached ${limit}. Try again in ${seconds} s.`,
    limitSource: source,
    retryAfterMs,
  });
}

export interface Pause {
  readonly retryAfterMs?: number;
  /** False where a repetition could do a thing twice. */
  readonly shouldRetry?: boolean;
}

/** 503 of ours. `reason` completes "The service cannot take the request now: ...". */
export function serviceUnavailable(reason: string, pause: Pause = {}): GatewayError {
  return new GatewayError('service_unavailable', {
    message: `The service cannot take the request now: ${reason}. Try again in a moment.`,
    ...pause,
  });
}

function boundedParam(param: string): string {
  return param.length > QUOTE_LENGTH_MAX ? `${param.slice(0, QUOTE_LENGTH_MAX)}...` : param;
}
