/**
 * The request of POST /v1/embeddings: OpenAI's parameters, what OpenRouter adds (`input_type`,
 * parts with images), and room for what hosts add.
 */
import { findLaterField } from '../chat/later.ts';
import { modelIdSchema } from '../chat/request.ts';
import { GatewayError } from '../errors.ts';
import { toRequestError } from '../issues.ts';
import { notYetAvailable } from '../refusals.ts';
import { z } from '../z.ts';

/** OpenAI's bound on one request; hosts that take fewer are asked several times. */
const EMBEDDING_INPUTS_MAX = 2048;

const textSchema = z.string().min(1);
const tokenSchema = z.int().min(0);

const partSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: textSchema }),
  z.looseObject({ type: z.literal('image_url'), image_url: z.looseObject({ url: textSchema }) }),
]);

/** Text beside images that become one vector (OpenRouter's form). */
const multimodalSchema = z.strictObject({ content: z.array(partSchema).min(1) });

const textsSchema = z.array(textSchema).min(1).max(EMBEDDING_INPUTS_MAX);
const tokensSchema = z.array(tokenSchema).min(1);
const tokenListsSchema = z.array(tokensSchema).min(1).max(EMBEDDING_INPUTS_MAX);
const multimodalsSchema = z.array(multimodalSchema).min(1).max(EMBEDDING_INPUTS_MAX);

const inputSchema = z.union([
  textSchema,
  textsSchema,
  tokensSchema,
  tokenListsSchema,
  multimodalsSchema,
]);

/** The list that was meant, by its first element: a union cannot say what is wrong in it. */
function meantList(input: readonly unknown[]): z.ZodType {
  const [first] = input;
  if (typeof first === 'number') return tokensSchema;
  if (Array.isArray(first)) return tokenListsSchema;
  return typeof first === 'object' && first !== null ? multimodalsSchema : textsSchema;
}

/** Fields of ours: read here, and taken out before an upstream sees the body. */
const ownFields = {
  /** Only where every setting is taken as it stands (OpenRouter's word for it). */
  provider: z.looseObject({ require_parameters: z.boolean().nullish() }).nullish(),
};

export const EMBEDDINGS_OWN_FIELDS: readonly string[] = Object.keys(ownFields);

export const embeddingsRequestSchema = z
  .looseObject({
    model: modelIdSchema,
    input: inputSchema,
    /** Numbers in each vector, for models that can make several sizes. */
    dimensions: z.int().min(1).nullish(),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    user: z.string().nullish(),
    /** What the vectors are for: `query`, `document`, or a host's own word for it. */
    input_type: z.string().nullish(),
    ...ownFields,
  })
  .meta({ id: 'EmbeddingRequest' });

export type EmbeddingsBody = z.infer<typeof embeddingsRequestSchema>;

/** A fallback would fill an index with vectors that mean nothing beside the others. */
function refuseFallbacks(body: object): void {
  if (!Object.hasOwn(body, 'models')) return;
  throw new GatewayError('unsupported_parameter', {
    message:
      "'models' is not taken here: vectors of different models cannot be compared, so none stands " +
      "in for another. Name one model in 'model'.",
    param: 'models',
  });
}

/**
 * Checks a parsed body. Throws a GatewayError (400) that names the first field at fault. Unknown
 * fields stay in the result.
 */
export function parseEmbeddingsRequest(body: object): EmbeddingsBody {
  refuseFallbacks(body);
  const later = findLaterField(body);
  if (later !== null) throw notYetAvailable(later);
  const parsed = embeddingsRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  if ('input' in body && Array.isArray(body.input)) {
    const meant = embeddingsRequestSchema.extend({ input: meantList(body.input) }).safeParse(body);
    if (!meant.success) throw toRequestError(meant.error, body);
  }
  throw toRequestError(parsed.error, body);
}
