/**
 * A whole chat answer whose upstream speaks the client's own dialect: checked, its usage read, and
 * sent on as the bytes it came in, with our members spliced in.
 */
import { toBytes, toText } from '#base/bytes.ts';
import { editJson } from '#base/json-edit.ts';
import { JSON_ARRAY, JSON_NULL, JSON_OBJECT, type JsonIndex } from '#base/json-index.ts';
import { scanJson } from '#base/json-scan.ts';
import { err, ok, type Result } from '#base/result.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { ChatCodec, PassThrough } from '#providers/provider.ts';
import { breaksOff } from '#providers/dialects/openai-chat/finish.ts';
import type { Usage } from '#wire/usage.ts';
import type { AnswerTail, WholeAnswer } from '../answer.ts';
import { partText } from './produced-text.ts';
import { tailEdits } from '../tail.ts';
import { usageJson } from './usage-json.ts';

/**
 * Answers nest deeper than requests at most by a schema of structured output inside strings: not at
 * all.
 */
const ANSWER_LIMITS = { depthMax: 512, indexDepth: 3 };

function complaint(code: string, message: string): UpstreamComplaint {
  return { code, message, status: null };
}

/** Reads an upstream's 200; the error is what it complained of, or what is wrong with it. */
export function readPassWhole(
  body: Uint8Array,
  passThrough: PassThrough,
  codec: ChatCodec,
): Result<WholeAnswer, UpstreamComplaint> {
  const scanned = scanJson(body, ANSWER_LIMITS);
  if (!scanned.ok || scanned.value.kind(0) !== JSON_OBJECT) {
    const what = body.length === 0 ? 'an empty answer' : 'an answer that is not JSON';
    return err(complaint('malformed_answer', `The provider sent ${what}.`));
  }
  const index = scanned.value;
  const choices = index.member(0, 'choices');
  const answers =
    choices >= 0 && index.kind(choices) === JSON_ARRAY && index.firstChild(choices) >= 0;
  if (!answers || mayComplain(index)) {
    const said = passThrough.readComplaint(JSON.parse(toText(body)));
    if (said !== null) return err(said);
    if (!answers)
      return err(complaint('empty_answer', 'The provider sent an answer without choices.'));
  }
  const finish = readFinish(index);
  if (finish !== null && breaksOff(finish)) {
    return err(complaint(finish, 'The provider broke the answer off.'));
  }
  const rewritten = rewrite(index, passThrough);
  return ok(new PassWhole(rewritten, codec, { finish, ...readUsage(index, passThrough) }));
}

function mayComplain(index: JsonIndex): boolean {
  return (
    hasError(index, 0) ||
    index.member(0, 'base_resp') >= 0 ||
    // OpenRouter says there what went wrong behind it.
    hasError(index, index.firstChild(index.member(0, 'choices')))
  );
}

function hasError(index: JsonIndex, node: number): boolean {
  const error = node < 0 ? -1 : index.member(node, 'error');
  return error >= 0 && index.kind(error) !== JSON_NULL;
}

interface UsageFound {
  readonly usage: Usage | null;
  readonly usageText: string | null;
}

/**
 * The usual place is read by itself; only hosts with a place of their own cost a parse of
 * everything.
 */
function readUsage(index: JsonIndex, passThrough: PassThrough): UsageFound {
  const node = index.member(0, 'usage');
  if (node >= 0 && index.kind(node) === JSON_OBJECT) {
    const usageText = index.raw(node);
    const usage: unknown = JSON.parse(usageText);
    return { usage: passThrough.readUsage({ usage }), usageText };
  }
  return { usage: passThrough.readUsage(JSON.parse(toText(index.bytes))), usageText: null };
}

function rewrite(index: JsonIndex, passThrough: PassThrough): JsonIndex {
  if (passThrough.answer === undefined) return index;
  const parsed: unknown = JSON.parse(toText(index.bytes));
  const seen = passThrough.answer(parsed);
  if (seen === parsed) return index;
  const scanned = scanJson(toBytes(JSON.stringify(seen)), ANSWER_LIMITS);
  return scanned.ok ? scanned.value : index;
}

interface Told extends UsageFound {
  readonly finish: string | null;
}

class PassWhole implements WholeAnswer {
  readonly #index: JsonIndex;
  readonly #codec: ChatCodec;
  readonly usage: Usage | null;
  readonly usageText: string | null;
  readonly finish: string | null;

  constructor(index: JsonIndex, codec: ChatCodec, told: Told) {
    const { finish, usage, usageText } = told;
    this.#index = index;
    this.#codec = codec;
    this.usage = usage;
    this.usageText = usageText;
    this.finish = finish;
  }

  serviceTier(): string | null {
    return this.#index.string(this.#index.member(0, 'service_tier')) ?? null;
  }

  closing(tail: AnswerTail): Uint8Array {
    return editJson(this.#index, tailEdits(tail, usageJson(tail)));
  }

  producedText(): string {
    const answer = this.#codec.decode(JSON.parse(toText(this.#index.bytes)));
    return answer.choices
      .flatMap((choice) => choice.parts)
      .map((part) => partText(part))
      .join('');
  }
}

/** The first choice's word; that of a breakdown, should one have broken down. */
function readFinish(index: JsonIndex): string | null {
  const choices = index.member(0, 'choices');
  let finish: string | null = null;
  for (let node = index.firstChild(choices); node >= 0; node = index.nextChild(choices, node)) {
    const reason = index.string(index.member(node, 'finish_reason'));
    if (reason === undefined || reason === '') continue;
    if (breaksOff(reason)) return reason;
    finish ??= reason;
  }
  return finish;
}
