/**
 * One choice of a stream: infers its parts from the deltas. Text, reasoning and refusal close when
 * another of them begins; tool calls may grow side by side and close at the end.
 */
import type { ChatEvent, Citation } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { callStream } from './call-stream.ts';
import {
  imageSource,
  nativeOf,
  plainReasoning,
  readAnnotations,
  readContent,
  readReasoningDetails,
} from './content.ts';
import type { ReasoningDetail } from './content.ts';
import { toFinish } from './finish.ts';
import { partWriter } from './part-writer.ts';
import type { PartWriter } from './part-writer.ts';

export interface ChoiceStream {
  push(choice: JsonRecord, sources: readonly Citation[]): readonly ChatEvent[];
  /**
   * Closes open parts. `done`: the upstream said that the answer is whole, so a choice without a
   * finish reason gets the one that its parts imply (Snowflake sends none).
   */
  close(done: boolean): readonly ChatEvent[];
}

export function choiceStream(choice: number, answerId: string): ChoiceStream {
  const writer = partWriter(choice);
  const calls = callStream(answerId);
  const audio = audioStream(writer);
  let finished = false;
  let closed = false;

  const closeParts = (): void => {
    if (closed) return;
    closed = true;
    writer.settle();
    audio.close();
    calls.close(writer);
  };

  return {
    push(chunk, sources) {
      if (sources.length > 0) writer.cite(sources);
      const delta = recordOf(chunk['delta'] ?? chunk['message']);
      // Some hosts repeat the finished choice beside usage, with an empty delta.
      if (!closed) {
        pushDelta(delta, writer);
        if (isRecord(delta['audio'])) audio.push(delta['audio']);
        calls.push(delta, writer);
        pushAnnotations(delta, writer);
      }
      const logprobs = chunk['logprobs'];
      if (logprobs !== null && logprobs !== undefined) {
        writer.tell({ type: 'logprobs', choice, value: logprobs });
      }
      const finish = toFinish(chunk['finish_reason']);
      if (finish !== null && !finished) {
        finished = true;
        closeParts();
        writer.tell({ type: 'finish', choice, finish });
      }
      return writer.take();
    },
    close(done) {
      closeParts();
      if (done && !finished) {
        finished = true;
        const reason = calls.count() > 0 ? 'tool_calls' : 'stop';
        writer.tell({ type: 'finish', choice, finish: { reason, native: '' } });
      }
      return writer.take();
    },
  };
}

/** Text, reasoning, refusal and images of one delta. */
function pushDelta(delta: JsonRecord, writer: PartWriter): void {
  const { choice } = writer;
  const details = readReasoningDetails(delta);
  for (const detail of details) pushDetail(detail, writer);
  const reasoning = details.length > 0 ? undefined : plainReasoning(delta);
  if (reasoning !== undefined) pushReasoning(reasoning, writer);
  for (const run of readContent(delta['content']).runs) {
    if (run.kind === 'reasoning') {
      pushReasoning(run.text, writer);
      continue;
    }
    const part = writer.grow('text', { type: 'text', text: '' });
    writer.tell({ type: 'text_delta', choice, part, text: run.text });
  }
  const refusal = textOf(delta['refusal']);
  if (refusal !== undefined) {
    const part = writer.grow('refusal', { type: 'refusal', text: '' });
    writer.tell({ type: 'refusal_delta', choice, part, text: refusal });
  }
  for (const image of listOf(delta['images'])) {
    const source = imageSource(image);
    if (source === null) continue;
    writer.settle();
    writer.stop(writer.open({ type: 'image', source }));
  }
}

function pushReasoning(text: string, writer: PartWriter): void {
  const part = writer.grow('reasoning', { type: 'reasoning', text: '', summary: false });
  writer.tell({ type: 'reasoning_delta', choice: writer.choice, part, text });
}

function pushDetail(detail: ReasoningDetail, writer: PartWriter): void {
  const { key, text, signature, native, ...value } = detail;
  const { choice } = writer;
  const opened = { type: 'reasoning', text: '', ...value, native: detailNative(native) } as const;
  const part = writer.grow(key, opened);
  if (text !== '') writer.tell({ type: 'reasoning_delta', choice, part, text });
  if (signature !== undefined) writer.tell({ type: 'signature', choice, part, signature });
}

/** What a detail says of itself beside its growing text. */
function detailNative(detail: JsonRecord): Readonly<Record<string, JsonRecord>> {
  const { text: _text, summary: _summary, signature: _signature, ...rest } = detail;
  return nativeOf(rest) ?? {};
}

function pushAnnotations(delta: JsonRecord, writer: PartWriter): void {
  for (const citation of readAnnotations(delta['annotations'])) {
    writer.tell({ type: 'citation', choice: writer.choice, part: writer.text(), citation });
  }
}

interface AudioStream {
  push(audio: JsonRecord): void;
  close(): void;
}

/** OpenAI's spoken answers: an id first, then data and transcript in turns, then an expiry. */
function audioStream(writer: PartWriter): AudioStream {
  const { choice } = writer;
  let part: number | null = null;

  const open = (audio: JsonRecord): number => {
    const id = textOf(audio['id']);
    const expiresAt = numberOf(audio['expires_at']);
    writer.settle();
    return writer.open({
      type: 'audio',
      source: { kind: 'base64', mediaType: 'application/octet-stream', data: '' },
      ...(id === undefined ? {} : { id }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
  };

  return {
    push(audio) {
      const data = textOf(audio['data']) ?? '';
      const transcript = textOf(audio['transcript']);
      const speaks = data !== '' || transcript !== undefined;
      // Snowflake sends an audio object with nothing in it (recordings of 2026-07).
      if (!speaks && textOf(audio['id']) === undefined) return;
      part ??= open(audio);
      if (!speaks) return;
      const said = transcript === undefined ? {} : { transcript };
      writer.tell({ type: 'media_delta', choice, part, data, ...said });
    },
    close() {
      if (part !== null) writer.stop(part);
    },
  };
}
