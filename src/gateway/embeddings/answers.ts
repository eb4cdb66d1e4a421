/**
 * A whole answer of embeddings. Where the host speaks the caller's dialect and encoding, its bytes
 * pass and only our members are spliced in, for vectors are many megabytes; otherwise they are read
 * and written anew.
 */
import { toBytes, toText } from '#base/bytes.ts';
import { editJson } from '#base/json-edit.ts';
import { JSON_ARRAY, JSON_OBJECT, JSON_STRING, type JsonIndex } from '#base/json-index.ts';
import { scanJson } from '#base/json-scan.ts';
import { err, ok, type Result } from '#base/result.ts';
import { toVectorBase64 } from '#base/vector-base64.ts';
import type {
  EmbeddingsAnswer,
  EmbeddingsForm,
  EmbeddingsPassThrough,
} from '#providers/embeddings.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import { isRecord, parseJson } from '#providers/json.ts';
import { USAGE_BUCKETS, type Usage, type UsageBucket } from '#wire/usage.ts';
import type { AnswerTail, WholeAnswer } from '../answer.ts';
import { embeddingsOf } from '../endpoint.ts';
import type { AnswerContext, UpstreamAnswer } from '../inference.ts';
import { tailEdits, tailMembers, usageApart } from '../tail.ts';
import { embeddingsUsageJson } from './usage-json.ts';

export type Encoding = 'float' | 'base64';

/** What the caller asked for, as far as his answer must fit it. */
export interface Expected {
  readonly form: EmbeddingsForm;
  readonly encoding: Encoding;
  /** Whether it is a part of an answer: its vectors must be at hand. */
  readonly isPiece: boolean;
}

/** The vectors themselves are not looked into. */
const ANSWER_LIMITS = { depthMax: 16, indexDepth: 3 };

function malformed(message: string): Result<never, UpstreamComplaint> {
  return err({ code: 'malformed_answer', message, status: null });
}

/** Reads an upstream's 200; the error is what it complained of, or what is wrong with it. */
export function readEmbeddings(
  expected: Expected,
  { endpoint }: AnswerContext,
  answer: UpstreamAnswer,
): Result<WholeAnswer, UpstreamComplaint> {
  const { codec, passThrough } = embeddingsOf(endpoint);
  if (passThrough !== undefined && !expected.isPiece) {
    const passed = readPassed(answer.body, expected, passThrough);
    if (passed !== null) return ok(passed);
  }
  const parsed = parseJson(toText(answer.body));
  if (!isRecord(parsed)) return malformed('The provider sent an answer that is not JSON.');
  const said = codec.readComplaint?.(parsed) ?? null;
  if (said !== null) return err(said);
  try {
    const decoded = codec.decode(parsed, answer.headers, expected.form);
    const { encoding } = expected;
    const [sent, asked] = [decoded.vectors.length, expected.form.inputs.length];
    if (sent !== asked) {
      return malformed(`The provider sent ${sent} vectors for ${asked} inputs.`);
    }
    const written = {
      encoding,
      model: endpoint.target.model,
      ownDialect: passThrough !== undefined,
    };
    return ok(new DecodedEmbeddings(decoded, written));
  } catch {
    // A codec throws at what is no answer of its dialect: the words could quote it.
    return malformed('The provider sent an answer that cannot be read.');
  }
}

/** Null where the bytes are not just what the caller should get. */
function readPassed(
  body: Uint8Array,
  { form, encoding }: Expected,
  passThrough: EmbeddingsPassThrough,
): WholeAnswer | null {
  const scanned = scanJson(body, ANSWER_LIMITS);
  if (!scanned.ok || scanned.value.kind(0) !== JSON_OBJECT) return null;
  const index = scanned.value;
  const data = index.member(0, 'data');
  const kind = encoding === 'base64' ? JSON_STRING : JSON_ARRAY;
  let vectors = 0;
  for (let node = index.firstChild(data); node >= 0; node = index.nextChild(data, node)) {
    if (index.kind(index.member(node, 'embedding')) !== kind) return null;
    vectors += 1;
  }
  if (vectors !== form.inputs.length) return null;
  return new PassedEmbeddings(index, passThrough);
}

class PassedEmbeddings implements WholeAnswer {
  readonly #index: JsonIndex;
  readonly usage: Usage | null;
  readonly usageText = null;
  readonly finish = null;

  constructor(index: JsonIndex, passThrough: EmbeddingsPassThrough) {
    this.#index = index;
    const node = index.member(0, 'usage');
    const usage = node < 0 ? undefined : parseJson(index.raw(node));
    this.usage = passThrough.readUsage({ usage });
  }

  closing(tail: AnswerTail): Uint8Array {
    return editJson(this.#index, tailEdits(tail, embeddingsUsageJson(tail)));
  }

  producedText(): string {
    return '';
  }
}

/** How an answer is written anew. */
interface AnswerForm {
  readonly encoding: Encoding;
  /** Where the host does not say which model it was. */
  readonly model: string;
  /** Whether the host's usage object is OpenAI's too, or stands apart. */
  readonly ownDialect: boolean;
}

class DecodedEmbeddings implements WholeAnswer {
  readonly decoded: EmbeddingsAnswer;
  readonly form: AnswerForm;
  readonly usageText = null;
  readonly finish = null;

  constructor(decoded: EmbeddingsAnswer, form: AnswerForm) {
    this.decoded = decoded;
    this.form = form;
  }

  get usage(): Usage | null {
    return this.decoded.usage;
  }

  closing(tail: AnswerTail): Uint8Array {
    const { vectors, model } = this.decoded;
    const { encoding, model: asked } = this.form;
    const data = vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: encoding === 'base64' ? toVectorBase64(vector) : vector,
    }));
    const usage = this.form.ownDialect ? tail.usage : usageApart(tail.usage);
    const told = embeddingsUsageJson({ usage, cost: tail.cost });
    const head = JSON.stringify({ object: 'list', data, model: model ?? asked });
    return toBytes(`${head.slice(0, -1)}${tailMembers(tail, told)}}`);
  }

  producedText(): string {
    return '';
  }
}

/** The answers of the pieces of one request, in their order, as one. */
export function joinEmbeddings(answers: readonly [WholeAnswer, ...WholeAnswer[]]): WholeAnswer {
  const pieces = answers.filter((answer) => answer instanceof DecodedEmbeddings);
  const [first] = pieces;
  if (first === undefined || answers.length === 1) return answers[0];
  const vectors = pieces.flatMap(({ decoded }) => decoded.vectors);
  const usage = joinUsage(pieces.map(({ decoded }) => decoded.usage));
  return new DecodedEmbeddings({ ...first.decoded, vectors, usage }, first.form);
}

/** Null where one of the calls was not counted: then all are counted by us. */
function joinUsage(usages: readonly (Usage | null)[]): Usage | null {
  const counted = usages.filter((usage) => usage !== null && usage.source === 'upstream');
  if (counted.length < usages.length) return null;
  const buckets: Partial<Record<UsageBucket, number>> = {};
  for (const usage of counted) {
    for (const bucket of USAGE_BUCKETS) {
      const units = usage?.buckets[bucket];
      if (units !== undefined) buckets[bucket] = (buckets[bucket] ?? 0) + units;
    }
  }
  const flags = [...new Set(counted.flatMap((usage) => usage?.flags ?? []))];
  return {
    buckets,
    source: 'upstream',
    flags,
    native: { calls: counted.map((one) => one?.native) },
  };
}
