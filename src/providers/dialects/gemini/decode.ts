/** Reads a whole answer of generateContent into the common form. */
import type { Usage } from '#wire/usage.ts';
import type { ChatAnswer, ChatChoice, Part, TextPart } from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { blockedFinish, toFinish } from './finish.ts';
import { readCitations } from './grounding.ts';
import { readLogprobs } from './logprobs.ts';
import { OWN, nativeOf } from './native.ts';
import { bareSignature, partReader } from './read-part.ts';
import { readUsage, serviceTierOf } from './usage.ts';

const BODY_MEMBERS = new Set([
  'candidates',
  'usageMetadata',
  'modelVersion',
  'responseId',
  'createTime',
]);

const CANDIDATE_MEMBERS = new Set(['content', 'finishReason', 'index', 'logprobsResult']);

/** Throws where the body is no answer. */
export function decode(body: unknown): ChatAnswer {
  const answer: unknown = Array.isArray(body) ? body[0] : body;
  if (!isRecord(answer)) throw new Error('The answer is not a JSON object.');
  const blocked = blockReasonOf(answer);
  if (!Array.isArray(answer['candidates']) && blocked === undefined) {
    throw new Error('The answer has no candidates.');
  }
  const id = textOf(answer['responseId']) ?? '';
  const serviceTier = serviceTierOf(answer['usageMetadata']);
  const choices = listOf(answer['candidates']).map((candidate, position) =>
    decodeCandidate(recordOf(candidate), { id, position }),
  );
  return {
    id,
    createdAt: createdAtOf(answer),
    model: textOf(answer['modelVersion']) ?? '',
    choices: blocked === undefined || choices.length > 0 ? choices : [blockedChoice(blocked)],
    usage: readUsage(answer['usageMetadata']) ?? unsaid(answer['usageMetadata']),
    ...(serviceTier === undefined ? {} : { serviceTier }),
    native: nativeOf(otherMembers(answer, BODY_MEMBERS)) ?? {},
  };
}

function unsaid(native: unknown): Usage {
  return { buckets: {}, source: 'none', flags: ['missing'], native: native ?? null };
}

/** Why the prompt was refused before a word was generated; undefined where it was not. */
export function blockReasonOf(answer: JsonRecord): string | undefined {
  return textOf(recordOf(answer['promptFeedback'])['blockReason']);
}

/** Seconds; only Vertex says it. */
export function createdAtOf(answer: JsonRecord): number {
  const time = Date.parse(textOf(answer['createTime']) ?? '');
  return Number.isNaN(time) ? 0 : Math.floor(time / 1_000);
}

function blockedChoice(blockReason: string): ChatChoice {
  return { index: 0, parts: [], finish: blockedFinish(blockReason) };
}

function decodeCandidate(
  candidate: JsonRecord,
  place: { readonly id: string; readonly position: number },
): ChatChoice {
  const index = numberOf(candidate['index']) ?? place.position;
  const reader = partReader(place.id, index);
  const parts: Part[] = [];
  const others: unknown[] = [];
  for (const said of listOf(recordOf(candidate['content'])['parts'])) {
    const piece = reader.read(said);
    if (piece === null) {
      if (textOf(recordOf(said)['text']) === undefined) others.push(said);
    } else if (piece.kind === 'whole') {
      parts.push(piece.part);
      if (piece.signature !== undefined) parts.push(bareSignature(piece.signature));
    } else addText(parts, piece);
  }
  const logprobs = readLogprobs(candidate['logprobsResult']);
  const unread = others.filter((part) => isUnknown(part));
  const native = nativeOf({
    ...otherMembers(candidate, CANDIDATE_MEMBERS),
    ...(unread.length === 0 ? {} : { parts: unread }),
  });
  return {
    index,
    parts: withCitations(parts, candidate),
    finish: toFinish(candidate['finishReason'], reader.calls()),
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(native === undefined ? {} : { native }),
  };
}

/** Members that say nothing by themselves. */
const EMPTY_MEMBERS = new Set(['text', 'thought', 'functionCall']);

function isUnknown(part: unknown): boolean {
  return isRecord(part) && Object.keys(otherMembers(part, EMPTY_MEMBERS)).length > 0;
}

/** Texts that follow each other are one, as they are in a stream. */
function addText(
  parts: Part[],
  piece: { readonly kind: string; readonly text: string; readonly signature?: string },
): void {
  const last = parts.at(-1);
  const { text, signature } = piece;
  if (piece.kind === 'thought') {
    const signed = signature === undefined ? {} : { signature };
    const grows = last?.type === 'reasoning' && last.text !== '' && last.signature === undefined;
    if (grows) parts[parts.length - 1] = { ...last, text: last.text + text, ...signed };
    else parts.push({ type: 'reasoning', text, summary: text !== '', ...signed, native: OWN });
    return;
  }
  if (text !== '') {
    if (last?.type === 'text') parts[parts.length - 1] = { ...last, text: last.text + text };
    else parts.push({ type: 'text', text });
  }
  if (signature !== undefined) parts.push(bareSignature(signature));
}

/** Each source on the text that it stands on; sources without a place on the last text. */
function withCitations(parts: readonly Part[], candidate: JsonRecord): readonly Part[] {
  const texts = parts.filter((part) => part.type === 'text');
  const citations = readCitations(candidate, texts.map(({ text }) => text).join(''));
  if (citations.length === 0 || texts.length === 0) return parts;
  let offset = 0;
  return parts.map((part): Part => {
    if (part.type !== 'text') return part;
    const from = offset;
    const to = from + part.text.length;
    offset = to;
    const isLast = part === texts.at(-1);
    const own = citations.flatMap((citation) => {
      const { start, end } = citation;
      if (start === undefined || end === undefined) return isLast ? [citation] : [];
      if (start < from || start >= to) return [];
      return [{ ...citation, start: start - from, end: Math.min(end, to) - from }];
    });
    return own.length === 0 ? part : ({ ...part, citations: own } satisfies TextPart);
  });
}
