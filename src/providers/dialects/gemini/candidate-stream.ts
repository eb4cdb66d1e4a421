/**
 * One candidate of a stream. Every event is a partial answer whose parts are new text or whole
 * calls; the form's parts are inferred by `partWriter`, and the finish is told once.
 */
import type { ChatEvent } from '#providers/form.ts';
import { listOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { partWriter } from '../openai-chat/part-writer.ts';
import type { PartWriter } from '../openai-chat/part-writer.ts';
import { toFinish } from './finish.ts';
import { readCitations } from './grounding.ts';
import { readLogprobs } from './logprobs.ts';
import { OWN } from './native.ts';
import { bareSignature, partReader } from './read-part.ts';
import type { Piece } from './read-part.ts';

export interface CandidateStream {
  push(candidate: JsonRecord): readonly ChatEvent[];
  /** Closes what is open, without making up a finish. */
  close(): readonly ChatEvent[];
}

export function candidateStream(choice: number, answerId: string): CandidateStream {
  const writer = partWriter(choice);
  const reader = partReader(answerId, choice);
  const text = textStream(writer);
  let finished = false;

  const write = (piece: Piece): void => {
    if (piece.kind === 'text') {
      text.push(piece);
      return;
    }
    text.close();
    if (piece.kind === 'whole') {
      writeWhole(piece.part, writer);
      if (piece.signature !== undefined) writeSignature(piece.signature, writer);
    } else writeThought(piece, writer);
  };

  return {
    push(candidate) {
      for (const part of listOf(recordOf(candidate['content'])['parts'])) {
        const piece = reader.read(part);
        if (piece !== null) write(piece);
      }
      text.cite(candidate);
      const logprobs = readLogprobs(candidate['logprobsResult']);
      if (logprobs !== undefined) writer.tell({ type: 'logprobs', choice, value: logprobs });
      const rest = textOf(candidate['finishReason']) === undefined ? null : reader.rest();
      if (rest !== null) write(rest);
      const finish = toFinish(candidate['finishReason'], reader.calls());
      if (finish !== null && !finished) {
        finished = true;
        text.close();
        writer.settle();
        writer.tell({ type: 'finish', choice, finish });
      }
      return writer.take();
    },
    close() {
      text.close();
      writer.settle();
      return writer.take();
    },
  };
}

interface TextStream {
  push(piece: { readonly text: string; readonly signature?: string }): void;
  /** The grounding comes with the last event and speaks of all the text before it. */
  cite(candidate: JsonRecord): void;
  close(): void;
}

/**
 * The visible text. Its signature comes with its last words or after them, and is told when the
 * text closes, since sources may still come for it.
 */
function textStream(writer: PartWriter): TextStream {
  const { choice } = writer;
  const said: string[] = [];
  /** Length of all text before the part that is open. */
  let before = 0;
  let length = 0;
  let part: number | null = null;
  let signature: string | undefined;

  const close = (): void => {
    if (part !== null) writer.settle();
    part = null;
    before = length;
    if (signature === undefined) return;
    writeSignature(signature, writer);
    signature = undefined;
  };

  return {
    push(piece) {
      if (piece.text !== '') {
        if (signature !== undefined) close();
        part = writer.grow('text', { type: 'text', text: '' });
        writer.tell({ type: 'text_delta', choice, part, text: piece.text });
        said.push(piece.text);
        length += piece.text.length;
      }
      signature = piece.signature ?? signature;
    },
    cite(candidate) {
      if (candidate['groundingMetadata'] === undefined && !('citationMetadata' in candidate))
        return;
      // Sources of an answer without words have nothing to stand on.
      if (length === 0) return;
      const whole = said.join('');
      for (const { start, end, ...citation } of readCitations(candidate, whole)) {
        part ??= writer.grow('text', { type: 'text', text: '' });
        const isHere = start !== undefined && end !== undefined && start >= before;
        const span = isHere ? { start: start - before, end: end - before } : {};
        writer.tell({ type: 'citation', choice, part, citation: { ...citation, ...span } });
      }
    },
    close,
  };
}

function writeSignature(signature: string, writer: PartWriter): void {
  const { choice } = writer;
  writer.settle();
  const { signature: _told, ...value } = bareSignature(signature);
  const part = writer.open(value);
  writer.tell({ type: 'signature', choice, part, signature });
  writer.stop(part);
}

function writeThought(
  piece: { readonly text: string; readonly signature?: string },
  writer: PartWriter,
): void {
  const { choice } = writer;
  const { text, signature } = piece;
  const value = { type: 'reasoning', text: '', summary: text !== '', native: OWN } as const;
  const part = writer.grow('thought', value);
  if (text !== '') writer.tell({ type: 'reasoning_delta', choice, part, text });
  if (signature === undefined) return;
  writer.tell({ type: 'signature', choice, part, signature });
  writer.settle();
}

function writeWhole(value: (Piece & { readonly kind: 'whole' })['part'], writer: PartWriter): void {
  const { choice } = writer;
  if (value.type === 'audio' && value.source.kind === 'base64') {
    const { data, mediaType } = value.source;
    const opened = { ...value, source: { kind: 'base64', mediaType, data: '' } } as const;
    const part = writer.grow('audio', opened);
    writer.tell({ type: 'media_delta', choice, part, data });
    return;
  }
  writer.settle();
  const isCall = value.type === 'tool_call';
  const part = writer.open(isCall ? { ...value, arguments: '' } : value);
  const text = isCall ? textOf(value.arguments) : undefined;
  if (text !== undefined) writer.tell({ type: 'arguments_delta', choice, part, text });
  writer.stop(part);
}
