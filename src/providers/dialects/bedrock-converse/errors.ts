/**
 * Reads Bedrock's refusals: a status, `{message}`, and the exception's name in a header. The name
 * tells most; where it is missing (old recordings, proxies), status and words decide as in the
 * OpenAI family.
 */
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { parseJson, recordOf, textOf } from '#providers/json.ts';
import { judge, retryOf, type ErrorKind, type ErrorRule } from '../error-rules.ts';
import { readError as readFamilyError } from '../openai-chat/errors.ts';
import { exceptionName } from './finish.ts';
import { redactAws } from './redact.ts';

/** By the exception alone. What is not here is judged by its words. */
const KINDS: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ['ThrottlingException', 'rate_limit'],
  ['TooManyRequestsException', 'rate_limit'],
  ['ServiceQuotaExceededException', 'rate_limit'],
  ['ModelNotReadyException', 'overloaded'],
  ['ServiceUnavailableException', 'overloaded'],
  ['ModelTimeoutException', 'timeout'],
  ['ModelErrorException', 'server_error'],
  ['InternalServerException', 'server_error'],
  ['InternalFailure', 'server_error'],
  ['ResourceNotFoundException', 'model_not_found'],
  ['UnrecognizedClientException', 'authentication'],
  ['InvalidClientTokenId', 'authentication'],
  ['InvalidSignatureException', 'authentication'],
  ['SignatureDoesNotMatch', 'authentication'],
  ['IncompleteSignature', 'authentication'],
  ['IncompleteSignatureException', 'authentication'],
  ['MissingAuthenticationToken', 'authentication'],
  ['MissingAuthenticationTokenException', 'authentication'],
  ['ExpiredToken', 'authentication'],
  ['ExpiredTokenException', 'authentication'],
  ['RequestExpired', 'authentication'],
  ['NotAuthorized', 'permission'],
  ['OptInRequired', 'permission'],
]);

/** First match wins; before the name, since one exception stands for many faults. */
const RULES: readonly ErrorRule[] = [
  {
    kind: 'model_not_found',
    statuses: [400, 403, 404],
    message:
      /model identifier is invalid|on-demand throughput isn.t supported|end of its life|access to the model|could not resolve the foundation model|model is marked .{0,20}legacy/i,
  },
  { kind: 'permission', statuses: [400], message: /^operation not allowed/i },
  { kind: 'billing', statuses: [400, 403], message: /payment instrument|INVALID_PAYMENT/i },
  {
    kind: 'context_length',
    statuses: [400],
    message:
      /(input|prompt) is too long|too many (input |total )?tokens|context (window|length)|maximum (context|number of) (length|tokens|input)|input tokens? .{0,40}exceed/i,
  },
  {
    kind: 'content_filter',
    statuses: [400],
    message: /content filter|blocked by .{0,40}polic|violat\w+ .{0,40}polic/i,
  },
  {
    // What a refused API key says; the same exception also stands for a missing permission.
    kind: 'authentication',
    statuses: [401, 403],
    message: /api key|bearer token|authentication failed|security token|signature/i,
  },
];

/** What a refusal means. Never throws; the message names no account and no key. */
export function readError(input: UpstreamErrorInput): UpstreamError {
  const family = readFamilyError(input);
  const body = recordOf(parseJson(new TextDecoder().decode(input.body)));
  const name =
    exceptionName(input.headers['x-amzn-errortype']) ??
    exceptionName(textOf(body['__type']) ?? textOf(body['code']));
  // AWS's older services write the member with a capital letter.
  const said = textOf(body['message']) ?? textOf(body['Message']);
  const message = redactAws(said ?? family.message);
  const kind =
    judge(RULES, { status: input.status, code: '', message: said ?? '' }) ??
    (name === null ? undefined : KINDS.get(name)) ??
    // 424: the model broke, and the same request may succeed elsewhere.
    (input.status === 424 ? 'server_error' : family.kind);
  return { ...family, kind, retry: retryOf(kind), message, code: name };
}
