/**
 * The door of embeddings, inwards: raw bytes to what the five steps must know. A host that takes
 * fewer inputs at once than came is asked several times.
 */
import { toText } from '#base/bytes.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { Result } from '#base/result.ts';
import { readEmbeddingsForm } from '#providers/dialects/openai-embeddings/read-form.ts';
import type { EmbeddingsForm } from '#providers/embeddings.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { EMBEDDINGS_OWN_FIELDS, parseEmbeddingsRequest } from '#wire/embeddings/request.ts';
import type { WholeAnswer } from '../answer.ts';
import { embeddingsOf, type Endpoint } from '../endpoint.ts';
import { requiresParameters } from '../host-body.ts';
import type {
  AnswerContext,
  HostBody,
  InferenceRequest,
  RequestedName,
  UpstreamAnswer,
} from '../inference.ts';
import type { Candidate } from '../plan.ts';
import { scanBody } from '../scan-body.ts';
import type { TokenCounter } from '../tokens.ts';
import { joinEmbeddings, readEmbeddings, type Encoding } from './answers.ts';
import { embeddingsBodyFor } from './host-body.ts';
import { boundInputs, countInputs, countInputText } from './input-bound.ts';

/** The inputs themselves are read off the parsed body. */
const SCAN_LIMITS = { depthMax: 16, indexDepth: 2 };

interface Told {
  readonly index: JsonIndex;
  readonly model: string;
  readonly encoding: Encoding;
  readonly form: EmbeddingsForm;
}

class EmbeddingsRequest implements InferenceRequest {
  readonly modality = 'embeddings';
  readonly operation = 'embeddings';
  readonly anyModel = false;
  readonly generates = false;
  readonly stream = false;
  readonly outputTokensMax = 0;
  readonly choices = 1;
  readonly serviceTier = null;
  readonly names: readonly RequestedName[];
  readonly inputs: number;
  readonly inputTokensMax: number;
  readonly mediaTokensMax: number;
  readonly inputMedia: boolean;
  readonly requireParameters: boolean;
  readonly isPiece: boolean;
  readonly #told: Told;

  constructor(told: Told, isPiece = false) {
    const { index, model, form } = told;
    const { tokensMax, mediaTokensMax } = boundInputs(form.inputs);
    this.#told = told;
    this.isPiece = isPiece;
    this.names = [{ name: model, param: 'model' }];
    this.inputs = form.inputs.length;
    this.inputTokensMax = tokensMax;
    this.mediaTokensMax = mediaTokensMax;
    this.inputMedia = mediaTokensMax > 0;
    this.requireParameters = requiresParameters(index);
  }

  get index(): JsonIndex {
    return this.#told.index;
  }

  get form(): EmbeddingsForm {
    return this.#told.form;
  }

  inputRounds(): number {
    return 1;
  }

  countInput(tokens: TokenCounter): Promise<number> {
    return countInputs(this.form.inputs, tokens);
  }

  countText(tokens: TokenCounter): Promise<number> {
    return countInputText(this.form.inputs, tokens);
  }

  bodyFor(candidate: Candidate): HostBody {
    return embeddingsBodyFor(this, candidate);
  }

  piecesFor(endpoint: Endpoint): readonly InferenceRequest[] {
    const { inputsMax } = embeddingsOf(endpoint);
    const { inputs } = this.form;
    if (inputs.length <= inputsMax) return [this];
    return Array.from({ length: Math.ceil(inputs.length / inputsMax) }, (_, piece) => {
      const part = inputs.slice(piece * inputsMax, (piece + 1) * inputsMax);
      return new EmbeddingsRequest({ ...this.#told, form: { ...this.form, inputs: part } }, true);
    });
  }

  join(answers: readonly [WholeAnswer, ...WholeAnswer[]]): WholeAnswer {
    return joinEmbeddings(answers);
  }

  openStream(): null {
    return null;
  }

  readWhole(
    context: AnswerContext,
    answer: UpstreamAnswer,
  ): Result<WholeAnswer, UpstreamComplaint> {
    const { form, isPiece } = this;
    return readEmbeddings({ form, isPiece, encoding: this.#told.encoding }, context, answer);
  }
}

/** Throws a GatewayError (400) that names what is wrong and where. */
export function readEmbeddingsRequest(body: Uint8Array): InferenceRequest {
  const index = scanBody(body, SCAN_LIMITS);
  const parsed: unknown = JSON.parse(toText(body));
  const request = parseEmbeddingsRequest(recordOf(parsed));
  const members = Object.entries(request).filter(([key]) => !EMBEDDINGS_OWN_FIELDS.includes(key));
  return new EmbeddingsRequest({
    index,
    model: request.model,
    encoding: request.encoding_format ?? 'float',
    form: readEmbeddingsForm(Object.fromEntries(members)),
  });
}
