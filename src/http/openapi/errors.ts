/** The error answers of an operation: one for each status, with the codes that it has there. */
import { ERROR_TABLE, GatewayError, type ErrorCode } from '#wire/errors.ts';
import { openAiErrorSchema, toOpenAiErrorBody } from '#wire/openai-error.ts';
import {
  errorsOf,
  json,
  type Answer,
  type Example,
  type HeaderName,
  type Operation,
} from './operation.ts';
import { refOf, type JsonSchema } from './schemas.ts';

const REQUEST_ID = 'req_01m7xh7n4bwmks16wbqdmz1zdm';

function headersOf(status: number, codes: readonly ErrorCode[]): readonly HeaderName[] {
  const pauses = codes.some((code) => 'retryAfterMs' in ERROR_TABLE[code]);
  return [
    'x-should-retry',
    ...(pauses ? (['retry-after', 'retry-after-ms'] as const) : []),
    ...(status === 401 ? (['www-authenticate'] as const) : []),
  ];
}

const CODES = Object.keys(ERROR_TABLE).filter((code): code is ErrorCode => code in ERROR_TABLE);

function exampleOf(code: ErrorCode): Example {
  const value = toOpenAiErrorBody(new GatewayError(code), REQUEST_ID);
  return { summary: ERROR_TABLE[code].docs, value };
}

/** One for each code; for `components`. */
export const ERROR_EXAMPLES: Readonly<Record<string, Example>> = Object.fromEntries(
  CODES.map((code) => [code, exampleOf(code)] as const),
);

/** An error whose code is one of these. */
function schemaOf(codes: readonly ErrorCode[]): JsonSchema {
  const code: JsonSchema = { type: 'string', enum: [...codes] };
  const error: JsonSchema = { type: 'object', properties: { code }, required: ['code'] };
  const narrowed: JsonSchema = { type: 'object', properties: { error }, required: ['error'] };
  return { allOf: [refOf(openAiErrorSchema), narrowed] };
}

function answerOf(status: number, codes: readonly ErrorCode[]): Answer {
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }] as const);
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    content: json(schemaOf(codes), Object.fromEntries(examples)),
    headers: headersOf(status, codes),
  };
}

/** By status. */
export function errorAnswersOf(operation: Operation): Readonly<Record<number, Answer>> {
  const codesOf = new Map<number, Set<ErrorCode>>();
  for (const possible of errorsOf(operation)) {
    const [code, status] =
      typeof possible === 'string' ? [possible, ERROR_TABLE[possible].status] : possible;
    const codes = codesOf.get(status) ?? new Set();
    codesOf.set(status, codes.add(code));
  }
  const statuses = [...codesOf].toSorted(([one], [other]) => one - other);
  return Object.fromEntries(
    statuses.map(([status, codes]) => [status, answerOf(status, [...codes])]),
  );
}
