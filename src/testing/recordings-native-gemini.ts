/** A plain reader of recorded Gemini answers and their streams, of Google's two hosts. */
import { at, isObject, listOf, numberOf, objectOf, stringOf } from './recordings-json.ts';
import type { NativeCall, NativeReading, NativeTokens } from './recordings-native-answer.ts';

const FINISH: Readonly<Record<string, string>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  // OpenAI has no word for an answer that went wrong; this one makes no client run its calls.
  UNEXPECTED_TOOL_CALL: 'length',
  MALFORMED_FUNCTION_CALL: 'length',
};

const FAILED = new Set(['UNEXPECTED_TOOL_CALL', 'MALFORMED_FUNCTION_CALL']);

/** Parts about tools that Google runs itself: chat has no place for them. */
const HOSTED = ['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult'] as const;

interface OpenCall {
  readonly call: NativeCall;
  readonly input: Record<string, unknown>;
}

export function readGemini(answers: readonly unknown[], into: NativeReading): void {
  let open: OpenCall | null = null;
  let usage: Record<string, unknown> = {};
  for (const answer of answers) {
    const error = at(answer, 'error');
    if (isObject(error)) into.error = stringOf(error['message']);
    const candidate = listOf(at(answer, 'candidates'))[0];
    for (const part of listOf(at(candidate, 'content', 'parts'))) {
      readPart(part, into);
      const call = at(part, 'functionCall');
      if (isObject(call)) open = readCall(call, open, into);
    }
    readSources(candidate, into);
    const finish = stringOf(at(candidate, 'finishReason'));
    if (finish !== '') into.finish = FINISH[finish] ?? 'stop';
    if (FAILED.has(finish)) into.failed = true;
    if (stringOf(at(answer, 'promptFeedback', 'blockReason')) !== '')
      into.finish = 'content_filter';
    usage = { ...usage, ...objectOf(at(answer, 'usageMetadata')) };
  }
  if (usage['totalTokenCount'] !== undefined) into.tokens = readTokens(usage);
}

function readPart(part: unknown, into: NativeReading): void {
  const text = stringOf(at(part, 'text'));
  if (at(part, 'thought') === true) into.reasoning += text;
  else into.text += text;
  const signature = stringOf(at(part, 'thoughtSignature'));
  const hosted = HOSTED.some((key) => isObject(at(part, key)));
  if (signature !== '' && !hosted) into.signatures.push(signature);
  if (isObject(at(part, 'inlineData'))) into.images += 1;
}

/** Vertex may stream the arguments in pieces, each with the JSON path of a text that grows. */
function readCall(
  call: Record<string, unknown>,
  open: OpenCall | null,
  into: NativeReading,
): OpenCall | null {
  let current = open;
  if (current === null) {
    const id = typeof call['id'] === 'string' ? call['id'] : null;
    const input = { ...objectOf(call['args']) };
    current = { input, call: { id, name: stringOf(call['name']), input } };
    into.calls.push(current.call);
  }
  for (const piece of listOf(call['partialArgs'])) applyPiece(current.input, piece);
  return call['willContinue'] === true ? current : null;
}

function applyPiece(input: Record<string, unknown>, piece: unknown): void {
  const path = stringOf(at(piece, 'jsonPath')).match(/[^.[\]$]+/g) ?? [];
  const last = path.at(-1);
  if (last === undefined) return;
  let here: unknown = input;
  for (const [index, step] of path.slice(0, -1).entries()) {
    const isList = /^\d+$/.test(path[index + 1] ?? '');
    here = childOf(here, step, isList);
  }
  const number = numberOf(at(piece, 'numberValue'));
  const flag = at(piece, 'boolValue');
  const before: unknown = Array.isArray(here) ? here[Number(last)] : objectOf(here)[last];
  const said = number ?? flag ?? stringOf(before) + stringOf(at(piece, 'stringValue'));
  if (Array.isArray(here)) here[Number(last)] = said;
  else if (isWritable(here)) here[last] = said;
}

function childOf(parent: unknown, step: string, isList: boolean): unknown {
  const fresh = isList ? [] : {};
  if (Array.isArray(parent)) return (parent[Number(step)] ??= fresh);
  return isWritable(parent) ? (parent[step] ??= fresh) : fresh;
}

function isWritable(value: unknown): value is Record<string, unknown> {
  return isObject(value);
}

function readSources(candidate: unknown, into: NativeReading): void {
  const grounding = at(candidate, 'groundingMetadata');
  const chunks = listOf(at(grounding, 'groundingChunks'));
  const cited = listOf(at(grounding, 'groundingSupports')).flatMap((support) =>
    listOf(at(support, 'groundingChunkIndices')),
  );
  for (const index of new Set(cited)) {
    const chunk = chunks[numberOf(index) ?? -1];
    const uri = stringOf(at(chunk, 'web', 'uri'));
    if (uri !== '') into.sources.add(uri);
  }
}

function readTokens(usage: Record<string, unknown>): NativeTokens {
  const read = (name: string) => numberOf(usage[name]) ?? 0;
  const cached = read('cachedContentTokenCount');
  const reasoning = read('thoughtsTokenCount');
  return {
    input: read('promptTokenCount') + read('toolUsePromptTokenCount') - cached,
    cacheRead: cached,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    audioInput: modality(usage['promptTokensDetails']) - modality(usage['cacheTokensDetails']),
    imageOutput: modality(usage['candidatesTokensDetails'], 'IMAGE'),
    reasoning,
    generated: read('candidatesTokenCount') + reasoning,
  };
}

function modality(details: unknown, wanted = 'AUDIO'): number {
  const found = listOf(details).find((detail) => at(detail, 'modality') === wanted);
  return numberOf(at(found, 'tokenCount')) ?? 0;
}
