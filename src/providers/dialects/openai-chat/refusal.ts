/**
 * Brings the error envelopes of the OpenAI chat family into one shape, without judging them. The
 * forms that were seen: OpenAI's `{error: {...}}`, a list of those (Google's compatible endpoint),
 * `{error: "text"}` (Ollama, Together), `{code, error: "text"}` (xAI), `{detail}` (FastAPI:
 * Mistral, NVIDIA, vLLM), `{message, code, type}` at the top (vLLM, Mistral, SiliconFlow),
 * `{base_resp}` (MiniMax), OpenRouter's numeric codes with the real cause in `metadata.raw`, plain
 * text, HTML, nothing.
 */
import { isRecord, listOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

export interface Refusal {
  /** Null where there is none worth showing. */
  readonly message: string | null;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  /** A second code that tells more (Azure's `innererror.code`, Google's `status`). */
  readonly innerCode: string | null;
  /** The record that the rest was read from, for hints such as a retry delay. */
  readonly native: JsonRecord;
}

const PLAIN_TEXT_LENGTH_MAX = 500;

const SILENT: Refusal = {
  message: null,
  type: null,
  code: null,
  param: null,
  innerCode: null,
  native: {},
};

/** The refusal in a whole body. Never throws. */
export function readRefusal(body: Uint8Array): Refusal {
  const text = new TextDecoder().decode(body).trim();
  const json = parseJson(text);
  if (json === undefined) return readPlainText(text);
  return refusalOf(json) ?? SILENT;
}

/** The refusal in parsed JSON; null where it holds none. */
export function refusalOf(json: unknown): Refusal | null {
  const body: unknown = Array.isArray(json) ? json[0] : json;
  if (typeof body === 'string') return { ...SILENT, message: textOf(body) ?? null };
  if (!isRecord(body)) return null;
  return (
    readEnvelope(body) ?? readDetail(body) ?? readMinimaxStatus(body) ?? readFlat(body) ?? null
  );
}

/** `error` as a record or as text; null where the member is absent or says nothing. */
function readEnvelope(body: JsonRecord): Refusal | null {
  const error = body['error'];
  if (isRecord(error)) return readRecord(error);
  const message = textOf(error);
  if (message === undefined) return null;
  // Hugging Face and others put a JSON text or a list of texts there; text is what is shown.
  return { ...readRecord(body), message, native: body };
}

function readRecord(error: JsonRecord): Refusal {
  const inner = recordOf(error['innererror'] ?? error['inner_error']);
  const metadata = recordOf(error['metadata']);
  return {
    message: messageOf(error),
    type: textOf(error['type']) ?? textOf(metadata['error_type']) ?? null,
    code: codeOf(error['code']),
    param: textOf(error['param']) ?? null,
    innerCode: textOf(inner['code']) ?? textOf(error['status']) ?? innerReason(metadata),
    native: error,
  };
}

/**
 * OpenRouter says "Provider returned error" and puts the words of the host behind it, often JSON
 * text, into `metadata.raw`.
 */
function messageOf(error: JsonRecord): string | null {
  const own = textOf(error['message']) ?? textOf(error['msg']) ?? textOf(error['detail']) ?? null;
  const raw = textOf(recordOf(error['metadata'])['raw']);
  if (raw === undefined) return own;
  const behind = parseJson(raw);
  const cause = isRecord(behind) ? (refusalOf(behind)?.message ?? null) : raw;
  if (cause === null || isMarkup(cause)) return own;
  return own === null ? cause : `${own}: ${cause}`;
}

/** OpenRouter's moderation refusals carry reasons and no code of their own. */
function innerReason(metadata: JsonRecord): string | null {
  return metadata['flagged_input'] === undefined && metadata['reasons'] === undefined
    ? null
    : 'moderation';
}

function codeOf(code: unknown): string | null {
  if (typeof code === 'number' && Number.isFinite(code)) return String(code);
  return textOf(code) ?? null;
}

/** FastAPI: `detail` as text, as a list of `{loc, msg}`, or as a record. */
function readDetail(body: JsonRecord): Refusal | null {
  const detail = body['detail'];
  const text = textOf(detail);
  if (text !== undefined) return { ...readRecord(body), message: text };
  if (isRecord(detail)) return readRecord(detail);
  const [first] = listOf(detail).filter(isRecord);
  if (first === undefined) return null;
  const path = listOf(first['loc']).filter((step) => step !== 'body');
  const param = path.length === 0 ? null : path.map(String).join('.');
  const said = textOf(first['msg']) ?? 'invalid value';
  const message = param === null ? said : `${param}: ${said}`;
  return { ...SILENT, message, type: textOf(first['type']) ?? null, param, native: body };
}

/** MiniMax reports failures in `base_resp`, also with HTTP 200; status 0 is success. */
function readMinimaxStatus(body: JsonRecord): Refusal | null {
  const status = recordOf(body['base_resp']);
  const code = status['status_code'];
  if (typeof code !== 'number' || code === 0) return null;
  const message = textOf(status['status_msg']) ?? null;
  return { ...SILENT, message, code: String(code), native: status };
}

/** `{message, ...}` at the top, Mistral's with a record in it. An answer has no such member. */
function readFlat(body: JsonRecord): Refusal | null {
  const { message } = body;
  if (isRecord(message)) return readDetail(message);
  const named = textOf(body['message']) ?? textOf(body['msg']) ?? textOf(body['title']);
  if (named === undefined && listOf(body['errors']).length === 0) return null;
  if (named === undefined) return refusalOf(listOf(body['errors'])[0]);
  return { ...readRecord(body), message: named };
}

function readPlainText(text: string): Refusal {
  if (text === '' || isMarkup(text)) return SILENT;
  return { ...SILENT, message: text.slice(0, PLAIN_TEXT_LENGTH_MAX) };
}

function isMarkup(text: string): boolean {
  return /^\s*<(?:!doctype|html|\?xml|head|body)/i.test(text);
}
