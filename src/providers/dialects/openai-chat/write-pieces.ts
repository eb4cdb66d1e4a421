/**
 * The pieces that whole answers and streams of the chat door share: why an answer ended, sources,
 * images, and the fields of other dialects that travel beside a call or a text.
 */
import type {
  Citation,
  Finish,
  FinishReason,
  MediaSource,
  NativeFields,
  ToolCallPart,
} from '#providers/form.ts';
import { isRecord, numberOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { DIALECT } from './content.ts';

/** How an answer names itself: the same in every chunk of it. */
export interface AnswerId {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  /** Whether the caller speaks the legacy form, with `function_call` (`wantsFunctionCall`). */
  readonly functionCall?: boolean;
}

/** What an answer held, as far as its finish reason depends on it. */
interface Held {
  readonly calls: boolean;
  readonly refusal: boolean;
  readonly functionCall: boolean;
}

/**
 * OpenAI has five words. What broke off or paused is `length`, since a client must not take it for
 * whole; a refusal in words ends with `stop` at OpenAI, one without words was filtered.
 */
const FINISH_WORDS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  refusal: 'content_filter',
  pause: 'length',
  error: 'length',
  cancelled: 'length',
};

/** The finish reason in OpenAI's words. Clients run tools only on their own word for it. */
export function finishWord(finish: Finish | null, held: Held): string {
  const reason = finish?.reason ?? 'stop';
  if (reason === 'refusal' && held.refusal) return 'stop';
  const called = reason === 'tool_calls' || (reason === 'stop' && held.calls);
  if (called) return held.functionCall ? 'function_call' : 'tool_calls';
  return FINISH_WORDS[reason];
}

/** Where the cited text stands in `content`. */
interface CitedSpan {
  readonly start: number;
  readonly length: number;
}

/**
 * A source as OpenAI's `url_citation`. Strict clients know no other type, so a document without an
 * address keeps the type and is told by its title and number.
 */
export function annotationOf(citation: Citation, span: CitedSpan): JsonRecord {
  const own = citation.native?.[DIALECT];
  if (own?.['type'] === 'url_citation' && isRecord(own['url_citation'])) return own;
  const { url, title } = citation;
  return {
    type: 'url_citation',
    url_citation: {
      start_index: span.start + (citation.start ?? 0),
      end_index: span.start + (citation.end ?? span.length),
      url: url ?? '',
      title: title ?? url ?? '',
      ...sourceMembers(citation),
    },
  };
}

/** What OpenAI has no member for; the first is OpenRouter's. */
function sourceMembers({ citedText, documentIndex, fileId }: Citation): JsonRecord {
  return {
    ...(citedText === undefined ? {} : { content: citedText }),
    ...(documentIndex === undefined ? {} : { document_index: documentIndex }),
    ...(fileId === undefined ? {} : { file_id: fileId }),
  };
}

/** An address, or a data URL; an upload at the upstream has neither and is named by its id. */
function addressOf(source: MediaSource): string {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'file_id') return source.fileId;
  return `data:${source.mediaType};base64,${source.data}`;
}

/** An image of an answer, as OpenRouter writes them into `message.images`. */
export function imageEntry(source: MediaSource, index: number): JsonRecord {
  return { type: 'image_url', image_url: { url: addressOf(source) }, index };
}

/** A file of an answer, which OpenAI has no place for, in the words of its file parts. */
export function fileEntry(source: MediaSource, filename: string | undefined): JsonRecord {
  const file =
    source.kind === 'file_id' ? { file_id: source.fileId } : { file_data: addressOf(source) };
  return { type: 'file', file: { ...file, ...(filename === undefined ? {} : { filename }) } };
}

/** Members of a call beside id, type and what is called. */
export function callExtras(call: ToolCallPart): JsonRecord {
  return { ...call.native?.[DIALECT], ...extraContent(call.native) };
}

/** `extra_content`, as Google writes it: fields under the name of the dialect that wants them. */
export function extraContent(native: NativeFields | undefined): JsonRecord {
  if (native === undefined) return {};
  const fields = Object.entries(native).filter(
    ([dialect, members]) => dialect !== DIALECT && Object.keys(members).length > 0,
  );
  return fields.length === 0 ? {} : { extra_content: Object.fromEntries(fields) };
}

/** Log probabilities as OpenAI nests them, every field there; null where there are none. */
export function logprobsOf(value: unknown): JsonRecord | null {
  const said = Array.isArray(value) ? { content: value } : value;
  if (!isRecord(said)) return null;
  return { content: tokensOf(said['content']), refusal: tokensOf(said['refusal']) };
}

function tokensOf(value: unknown): readonly JsonRecord[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter(isRecord).map((token) => ({
    ...tokenOf(token),
    top_logprobs: Array.isArray(token['top_logprobs'])
      ? token['top_logprobs'].filter(isRecord).map(tokenOf)
      : [],
  }));
}

function tokenOf(token: JsonRecord): JsonRecord {
  return {
    token: textOf(token['token']) ?? '',
    // OpenAI's own number for "so unlikely that it was not computed".
    logprob: numberOf(token['logprob']) ?? -9999,
    bytes: token['bytes'] ?? null,
  };
}
