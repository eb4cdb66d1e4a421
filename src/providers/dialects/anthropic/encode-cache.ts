/**
 * Keeps cache breakpoints within what is accepted: four in a request, and none of an hour behind
 * one of five minutes. They are hints, so a request does not fail for one too many.
 */
import { isRecord, listOf } from '#providers/json.ts';
import { cacheControl } from './encode-blocks.ts';
import type { Block, EncodePlace } from './encode-place.ts';

const BREAKPOINTS_MAX = 4;

interface Cached {
  readonly tools: readonly Block[];
  readonly system: readonly Block[];
  readonly messages: readonly { readonly content: readonly Block[] }[];
}

/** Changes the blocks in place. The first breakpoint and the last three stay. */
export function limitBreakpoints(request: Cached, place: EncodePlace): void {
  const marked = [...request.tools, ...request.system]
    .concat(...request.messages.map((message) => message.content))
    .flatMap((block) => [...innerBlocks(block), block])
    .filter((block) => isRecord(block['cache_control']));
  if (marked.length > BREAKPOINTS_MAX) {
    const surplus = marked.splice(1, marked.length - BREAKPOINTS_MAX);
    for (const block of surplus) delete block['cache_control'];
    const message =
      'This provider takes four cache breakpoints; the first and the last three stay.';
    place.warn('dropped', 'messages[].content[].cache_control', message);
  }
  let short = false;
  for (const block of marked) {
    const control = block['cache_control'];
    const long = isRecord(control) && control['ttl'] === '1h';
    if (long && short) {
      block['cache_control'] = cacheControl('5m');
      const message = 'No breakpoint of an hour may follow one of five minutes.';
      place.warn('clamped', 'messages[].content[].cache_control.ttl', message);
    }
    short ||= !long;
  }
}

/** The blocks of a tool result, which may be marked too. */
function innerBlocks(block: Block): readonly Block[] {
  return block['type'] === 'tool_result' ? listOf(block['content']).filter(isBlock) : [];
}

function isBlock(value: unknown): value is Block {
  return isRecord(value);
}
