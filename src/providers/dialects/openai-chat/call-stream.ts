/**
 * The tool calls of one choice of a stream. Most hosts send id and name once and then arguments
 * under an index; some repeat the id in every delta, some never send one, some give every parallel
 * call the index 0, some leave the index out. A call's first delta is held back until its name is
 * known.
 */
import { isRecord, listOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { PartWriter } from './part-writer.ts';
import { nativeOf, ourCallId, readCall } from './content.ts';
import type { CallReading } from './content.ts';

export interface CallStream {
  push(delta: JsonRecord, writer: PartWriter): void;
  close(writer: PartWriter): void;
  count(): number;
}

interface Call {
  readonly key: number;
  readonly position: number;
  readonly format: 'json' | 'text';
  id: string | undefined;
  name: string | undefined;
  native: JsonRecord;
  /** Arguments that came before the name. */
  waiting: string;
  /** The part's number once it was opened. */
  part: number | null;
}

export function callStream(answerId: string): CallStream {
  const calls: Call[] = [];

  const find = (reading: CallReading): Call | undefined => {
    if (reading.index === undefined) {
      const same = calls.findLast((call) => reading.id !== undefined && call.id === reading.id);
      return (
        same ?? (reading.id === undefined && reading.name === undefined ? calls.at(-1) : undefined)
      );
    }
    const last = calls.findLast((call) => call.key === reading.index);
    return last === undefined || isAnother(last, reading) ? undefined : last;
  };
  const add = (reading: CallReading): Call => {
    const call: Call = {
      key: reading.index ?? calls.length,
      position: calls.length,
      format: reading.format,
      id: reading.id,
      name: undefined,
      native: {},
      waiting: '',
      part: null,
    };
    calls.push(call);
    return call;
  };
  const pushCall = (reading: CallReading, writer: PartWriter): void => {
    const call = find(reading) ?? add(reading);
    call.id ??= reading.id;
    call.name ??= reading.name;
    call.native = { ...call.native, ...reading.native };
    call.waiting += reading.arguments;
    if (call.name !== undefined) write(call, writer, answerId);
  };

  return {
    push(delta, writer) {
      for (const call of listOf(delta['tool_calls'])) pushCall(readCall(call), writer);
      const legacy = delta['function_call'];
      if (!isRecord(legacy) || !saysSomething(legacy)) return;
      const marked = { index: -1, function: legacy, function_call: true };
      pushCall(readCall(marked), writer);
    },
    close(writer) {
      for (const call of calls) {
        if (call.part === null) write(call, writer, answerId);
        const part = call.part;
        if (part === null) continue;
        writer.tell({ type: 'part_stop', choice: writer.choice, part });
      }
    },
    count: () => calls.length,
  };
}

/** A new id together with a name under an index in use: a host that numbers every call 0. */
function isAnother(call: Call, reading: CallReading): boolean {
  if (reading.id === undefined || reading.name === undefined || call.id === undefined) return false;
  return reading.id !== call.id;
}

/** Snowflake sends a legacy call with nothing in it (recordings of 2026-07). */
function saysSomething(call: JsonRecord): boolean {
  return textOf(call['name']) !== undefined || textOf(call['arguments']) !== undefined;
}

/** Opens the part if need be and passes on the arguments that wait. */
function write(call: Call, writer: PartWriter, answerId: string): void {
  const { choice } = writer;
  if (call.part === null) {
    const native = nativeOf(call.native);
    call.part = writer.open({
      type: 'tool_call',
      id: call.id ?? ourCallId(answerId, choice, call.position),
      ...(call.id === undefined ? { idIsOurs: true } : {}),
      name: call.name ?? '',
      arguments: '',
      format: call.format,
      ...(native === undefined ? {} : { native }),
    });
  }
  if (call.waiting === '') return;
  writer.tell({ type: 'arguments_delta', choice, part: call.part, text: call.waiting });
  call.waiting = '';
}
