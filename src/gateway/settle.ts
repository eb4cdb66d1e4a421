/**
 * Settle: what the request came to is journalled before the answer's last byte, and posted after it
 * (money.md, rule 5). Everything that was dispatched comes through here exactly once.
 */
import { toBytes } from '#base/bytes.ts';
import { formatUsd, type NanoUsd } from '#base/money.ts';
import type { Awaitable, Result } from '#base/result.ts';
import type { HeaderList } from '#base/sink.ts';
import type { Caller } from '#identity/identity.ts';
import type { LedgerFailure } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { inputTokens, outputTokens, type Usage } from '#wire/usage.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { servedHeaders, type Attempted } from './attempt.ts';
import { atMost, billCancelled, billComplete, NO_USAGE, waive, type Bill } from './bill.ts';
import { answerHeaders, elapsedMs, type Call } from './call.ts';
import type { AnswerStream, AnswerTail } from './answer.ts';
import type { InferenceRequest } from './inference.ts';
import type { Held } from './hold.ts';
import { toReceiptDetail, type ReceiptOutcome } from './receipt.ts';
import type { GatewayServices } from './dependencies.ts';
import type { TokenCounter } from './tokens.ts';
import { toClientError, toStreamError } from './upstream/failure.ts';

export interface Settling {
  readonly services: GatewayServices;
  readonly call: Call;
  readonly caller: Caller;
  readonly request: InferenceRequest;
  readonly held: Held;
  /** Nano-dollars; null where the caller set none. */
  readonly ceiling: NanoUsd | null;
  /** True once the hold is settled: it must be, once, whatever happens. */
  settled: boolean;
  /** How it ended, once that is recorded. */
  outcome: ReceiptOutcome | null;
}

type Of<Kind extends Attempted['kind']> = Extract<Attempted, { kind: Kind }>;

const JSON_HEADERS = [['content-type', 'application/json']] as const;
const STREAM_HEADERS = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-cache'],
  // Proxies that buffer would hold tokens back (nginx).
  ['x-accel-buffering', 'no'],
] as const;

/** An error as the whole answer. Does nothing when the client has gone or the answer has begun. */
export function sendError(call: Call, error: GatewayError, more: HeaderList = []): void {
  if (call.sink.closed || call.sink.committed) return;
  const body = toBytes(JSON.stringify(toOpenAiErrorBody(error, call.id)));
  const headers = [...answerHeaders(call), ...JSON_HEADERS, ...more, ...errorHeaders(error)];
  call.sink.send(error.status, headers, body);
}

const UNRECORDED = new GatewayError('service_unavailable', {
  message: 'The outcome could not be recorded, so the answer is withheld. Nothing was charged.',
  shouldRetry: false,
});

interface Facts {
  readonly outcome: ReceiptOutcome;
  readonly bill: Bill;
  readonly finish: string | null;
}

function usageTextOf(attempted: Attempted): string | null {
  return attempted.kind === 'whole' ? attempted.answer.usageText : null;
}

/** Journals the outcome; `isRecorded` reads what comes of it. */
function journal(settling: Settling, attempted: Attempted, facts: Facts): Promise<Recorded> {
  const { services, call, held, request } = settling;
  const { bill, outcome } = facts;
  const served = 'firstByteMs' in attempted ? attempted : null;
  const detail = toReceiptDetail({
    caller: settling.caller,
    candidate: attempted.candidate,
    outcome,
    streamed: request.stream,
    latencyMs: elapsedMs(call),
    firstByteMs: served?.firstByteMs ?? null,
    nativeFinish: facts.finish,
    usage: bill.usage,
    usageText: usageTextOf(attempted),
    service: bill.service,
    waived: bill.waived,
    attempts: attempted.attempts,
    warnings: served?.warnings ?? [],
  });
  settling.settled = true;
  const { attempt } = attempted;
  return services.ledger.settle(held.hold, { attempt, cost: bill.cost.total, detail });
}

type Recorded = Result<void, LedgerFailure>;

/** False: the outcome could not be recorded, and the answer must not end as if it were paid. */
function isRecorded(settling: Settling, recorded: Recorded, outcome: ReceiptOutcome): boolean {
  if (recorded.ok) settling.outcome = outcome;
  return recorded.ok;
}

/** Records an outcome of which nobody is told more. */
async function record(settling: Settling, attempted: Attempted, facts: Facts): Promise<void> {
  isRecorded(settling, await journal(settling, attempted, facts), facts.outcome);
  logOutcome(settling, attempted, facts);
}

function logOutcome(settling: Settling, attempted: Attempted, facts: Facts): void {
  const { call, caller, request } = settling;
  const { bill, outcome } = facts;
  const served = 'firstByteMs' in attempted ? attempted : null;
  call.log.write('info', 'request', {
    request_id: call.id,
    organization_id: caller.organizationId,
    key_id: caller.keyId,
    model: attempted.candidate.model.id,
    endpoint: attempted.candidate.endpoint.id,
    outcome,
    attempts: attempted.attempt + 1,
    streamed: request.stream,
    input_tokens: inputTokens(bill.usage.buckets),
    output_tokens: outputTokens(bill.usage.buckets),
    cost_usd: formatUsd(bill.cost.total),
    duration_ms: Math.round(elapsedMs(call)),
    first_byte_ms: served === null ? undefined : Math.round(served.firstByteMs),
  });
}

function tailOf(served: Of<'whole'> | Of<'stream'>, bill: Bill): AnswerTail {
  const { candidate, warnings } = served;
  const { providerName } = candidate.endpoint;
  const usageText = usageTextOf(served);
  return { usage: bill.usage, usageText, cost: bill.cost, providerName, warnings };
}

async function settleWhole(settling: Settling, attempted: Of<'whole'>): Promise<void> {
  const { call, request, services } = settling;
  const { answer, candidate } = attempted;
  const counting = { request, tokens: services.tokens };
  const billing = billComplete(candidate, answer, counting);
  const bill = atMost(billing instanceof Promise ? await billing : billing, settling.ceiling);
  const outcome = call.sink.closed ? 'cancelled' : 'completed';
  const facts = { outcome, bill, finish: answer.finish } as const;
  const recorded = await journal(settling, attempted, facts);
  try {
    if (!isRecorded(settling, recorded, outcome)) {
      sendError(call, UNRECORDED);
    } else if (!call.sink.closed) {
      const headers = servedHeaders(call, [...answerHeaders(call), ...JSON_HEADERS]);
      call.sink.send(200, headers, answer.closing(tailOf(attempted, bill)));
    }
  } finally {
    // Nobody waits for the log.
    logOutcome(settling, attempted, facts);
  }
}

/**
 * The bill of a stream of which the upstream had counted only a part when it stopped: some state
 * the input at the start (source `none`: not the whole of it) and the output at the end. Its
 * numbers stand, and what it generated since is counted here.
 */
async function billTail(
  answer: AnswerStream,
  tokens: TokenCounter,
  bill: (
    answer: Pick<AnswerStream, 'usage' | 'finish' | 'producedText' | 'serviceTier'>,
  ) => Awaitable<Bill>,
): Promise<Bill> {
  const { usage, finish } = answer;
  const tail = answer.uncountedText();
  if (usage === null || tail === null) return bill(answer);
  const { buckets, source } = usage;
  const before = source === 'upstream' ? (buckets.output ?? 0) : 0;
  const output = before + (await tokens.count(tail));
  const whole: Usage = { ...usage, source: 'upstream', buckets: { ...buckets, output } };
  const billed = await bill({
    usage: whole,
    finish,
    producedText: () => tail,
    serviceTier: () => answer.serviceTier?.() ?? null,
  });
  return { ...billed, usage: { ...billed.usage, source: 'counted' } };
}

async function settleStream(settling: Settling, attempted: Of<'stream'>): Promise<void> {
  const { call, request, services } = settling;
  const { live, candidate } = attempted;
  const { answer } = live;
  const counting = { request, tokens: services.tokens };
  if (!call.sink.closed) {
    live.deliver(servedHeaders(call, [...answerHeaders(call), ...STREAM_HEADERS]));
  }
  const end = await live.over;
  const { finish } = answer;
  if (end.kind === 'complete') {
    const billed = await billTail(answer, services.tokens, (told) =>
      billComplete(candidate, told, counting),
    );
    const bill = atMost(billed, settling.ceiling);
    const facts = { outcome: 'completed', bill, finish } as const;
    const journalled = await journal(settling, attempted, facts);
    const recorded = isRecorded(settling, journalled, facts.outcome);
    logOutcome(settling, attempted, facts);
    const tail = tailOf(attempted, bill);
    if (!call.sink.closed) {
      call.sink.end(recorded ? answer.closing(tail) : answer.breaking(UNRECORDED, call.id));
    }
  } else if (end.kind === 'broken') {
    const bill = waive(answer.usage ?? NO_USAGE, 'failed');
    await record(settling, attempted, { outcome: 'broken', bill, finish });
    if (call.sink.closed) return;
    const error = toStreamError(end.failure, candidate.endpoint.providerName);
    call.sink.end(answer.breaking(error, call.id));
  } else {
    const billed = await billTail(answer, services.tokens, (told) =>
      billCancelled(candidate, told, counting),
    );
    const bill = atMost(billed, settling.ceiling);
    await record(settling, attempted, { outcome: 'cancelled', bill, finish });
  }
}

async function settleFailed(settling: Settling, attempted: Of<'failed'>): Promise<void> {
  const { candidate, failure, attempts } = attempted;
  const bill = waive(NO_USAGE, 'failed');
  await record(settling, attempted, { outcome: 'failed', bill, finish: null });
  const error = toClientError(failure, candidate.endpoint.providerName, attempts.length);
  // There is a receipt: it lists what was tried.
  sendError(settling.call, error, servedHeaders(settling.call, []));
}

async function settleGone(settling: Settling, attempted: Of<'gone'>): Promise<void> {
  const { services, held, request } = settling;
  if (attempted.state === 'untouched') {
    services.ledger.release(held.hold);
    return;
  }
  const counting = { request, tokens: services.tokens };
  const bill =
    attempted.state === 'failed'
      ? waive(NO_USAGE, 'failed')
      : atMost(await billCancelled(attempted.candidate, null, counting), settling.ceiling);
  await record(settling, attempted, { outcome: 'cancelled', bill, finish: null });
}

/** Rejects when what came of it could not be told; it is recorded all the same. */
export function settle(settling: Settling, attempted: Attempted): Promise<void> {
  return settleKind(settling, attempted).catch(async (thrown: unknown) => {
    if (!settling.settled) {
      const bill = waive(NO_USAGE, 'failed');
      await record(settling, attempted, { outcome: 'failed', bill, finish: null });
    }
    throw thrown;
  });
}

function settleKind(settling: Settling, attempted: Attempted): Promise<void> {
  switch (attempted.kind) {
    case 'whole':
      return settleWhole(settling, attempted);
    case 'stream':
      return settleStream(settling, attempted);
    case 'failed':
      return settleFailed(settling, attempted);
    case 'gone':
      return settleGone(settling, attempted);
  }
}
