/**
 * Reads the parts of one candidate, in an answer and in a stream alike: text and thoughts as runs
 * that grow, everything else as whole parts of the common form.
 */
import type { MediaSource, Part, ReasoningPart, ToolCallPart } from '#providers/form.ts';
import { isRecord, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { ourCallId } from '../openai-chat/content.ts';
import { OWN, signedBy } from './native.ts';
import { addPartialArgs } from './partial-args.ts';
import { readHosted } from './read-hosted.ts';

export type Piece =
  | { readonly kind: 'text' | 'thought'; readonly text: string; readonly signature?: string }
  /** A signature here is that of media, which like that of a text is a part of its own. */
  | { readonly kind: 'whole'; readonly part: Part; readonly signature?: string };

export interface PartReader {
  /** Null for parts that say nothing, are not whole yet, or have no word in the common form. */
  read(part: unknown): Piece | null;
  /** The call whose end never came, in a candidate that did end. */
  rest(): Piece | null;
  /** How many calls of the caller's functions there were. */
  calls(): number;
}

/** A call whose arguments come in pieces (`willContinue`). */
interface GrowingCall {
  readonly name: string;
  readonly id: string | undefined;
  readonly signature: string | undefined;
  readonly args: Record<string, unknown>;
}

/** One for each candidate: ids that Google leaves out are numbered in order of appearance. */
export function partReader(answerId: string, choice: number): PartReader {
  let calls = 0;
  let codes = 0;
  let growing: GrowingCall | null = null;

  const toCall = (call: GrowingCall): Piece => {
    const part: ToolCallPart = {
      type: 'tool_call',
      id: call.id ?? ourCallId(answerId, choice, calls),
      ...(call.id === undefined ? { idIsOurs: true } : {}),
      name: call.name,
      arguments: JSON.stringify(call.args),
      format: 'json',
      ...signedBy(call.signature),
    };
    calls += 1;
    return { kind: 'whole', part };
  };

  const readCall = (call: JsonRecord, signature: string | undefined): Piece | null => {
    const name = textOf(call['name']);
    if (name !== undefined || growing === null) {
      const args = { ...recordOf(call['args']) };
      growing = { name: name ?? '', id: textOf(call['id']), signature, args };
    }
    addPartialArgs(growing.args, call['partialArgs']);
    if (call['willContinue'] === true) return null;
    const whole = growing;
    growing = null;
    return toCall(whole);
  };

  return {
    read(part) {
      const record = recordOf(part);
      const signature = textOf(record['thoughtSignature']);
      if (isRecord(record['functionCall'])) return readCall(record['functionCall'], signature);
      const hosted = readHosted(record, `code_${choice}_${codes}`);
      if (hosted !== null) {
        if (hosted.type === 'hosted_tool_result') codes += 1;
        return { kind: 'whole', part: hosted };
      }
      const media = readMedia(record);
      if (media !== null) {
        return { kind: 'whole', part: media, ...(signature === undefined ? {} : { signature }) };
      }
      return readText(record, signature);
    },
    rest() {
      const unended = growing;
      growing = null;
      return unended === null ? null : toCall(unended);
    },
    calls: () => calls,
  };
}

/** An empty text with a signature is how a stream tells the signature of the text before. */
function readText(record: JsonRecord, signature: string | undefined): Piece | null {
  const text = textOf(record['text']) ?? '';
  if (text === '' && signature === undefined) return null;
  const kind = record['thought'] === true ? 'thought' : 'text';
  return { kind, text, ...(signature === undefined ? {} : { signature }) };
}

/** The signature of a text or an image, as a part of its own: the form has no other word for it. */
export function bareSignature(signature: string): ReasoningPart {
  return { type: 'reasoning', text: '', summary: false, signature, native: OWN };
}

function readMedia(record: JsonRecord): Part | null {
  const { inlineData, fileData } = record;
  const data = textOf(recordOf(inlineData)['data']);
  if (data !== undefined) {
    const mediaType = textOf(recordOf(inlineData)['mimeType']) ?? 'application/octet-stream';
    return mediaPart({ kind: 'base64', mediaType, data }, mediaType);
  }
  const url = textOf(recordOf(fileData)['fileUri']);
  if (url === undefined) return null;
  const mediaType = textOf(recordOf(fileData)['mimeType']);
  const typed = mediaType === undefined ? {} : { mediaType };
  return mediaPart({ kind: 'url', url, ...typed }, mediaType ?? '');
}

/** The kind of part that this type of media is in the common form. */
export function mediaPart(source: MediaSource, mediaType: string): Part {
  const kind = mediaType.split('/')[0];
  if (kind === 'image') return { type: 'image', source };
  if (kind === 'audio') return { type: 'audio', source };
  if (kind === 'video') return { type: 'video', source };
  return { type: 'file', source };
}
