/** The management surface of API keys, as OpenRouter names its fields; amounts are dollars. */
import { dollarsSchema, lineSchema, queryNumberSchema, type StrictForm } from './strict.ts';
import { z } from './z.ts';

const NAME_LENGTH_MAX = 100;
const PAGE_MAX = 100;
const OFFSET_MAX = 1_000_000;
const MODELS_MAX = 100;
const MODEL_LENGTH_MAX = 200;
const PROVIDERS_MAX = 50;
const TAGS_MAX = 10;
const TAG_LENGTH_MAX = 64;
/** OpenAI's bounds of `metadata`. */
const PAIRS_MAX = 16;
const PAIR_KEY_LENGTH_MAX = 64;
const PAIR_VALUE_LENGTH_MAX = 512;
/** Old secrets of one key that may work beside the present one. */
export const OLD_SECRETS_MAX = 5;
/** Seven days: who has not switched over by then has forgotten it. */
const OVERLAP_SECONDS_MAX = 604_800;

/** Fields of a key that the contract has and that are not served yet. */
const LATER_KEY_FIELDS: readonly string[] = [
  'limit_reset',
  'rpm',
  'tpm',
  'max_concurrency',
  'project_id',
];

const nameSchema = lineSchema(NAME_LENGTH_MAX);
const limitSchema = dollarsSchema({ zero: 'allowed' }).nullable();

const isoTimeSchema = z.iso.datetime({ offset: true });
const UTC = /(?:Z|[+-]00:00)$/;

/** OpenRouter's form, to ms since the epoch. Whether it is to come is for the route to say. */
const expirySchema = z
  .string()
  .refine((text) => UTC.test(text) && isoTimeSchema.safeParse(text).success, {
    message: 'expected a time in UTC as ISO 8601, such as 2030-12-31T23:59:59Z',
  })
  .transform((text) => Date.parse(text))
  .nullable();

/** An empty list would be a key that can do nothing; one that can do everything has null. */
const namesSchema = (lengthMax: number, namesMax: number) =>
  z.array(lineSchema(lengthMax)).min(1).max(namesMax).nullable();
const modelsSchema = namesSchema(MODEL_LENGTH_MAX, MODELS_MAX);
const providersSchema = namesSchema(NAME_LENGTH_MAX, PROVIDERS_MAX);

/** What a database's text cannot hold. */
const UNSTORABLE = /[\0\p{Cs}]/u;
const metadataTextSchema = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .refine((text) => !UNSTORABLE.test(text), {
      message: 'expected text without zero bytes and halves of surrogate pairs',
    });
const pairKeySchema = metadataTextSchema(PAIR_KEY_LENGTH_MAX);

const pairsSchema = z
  .record(z.string(), metadataTextSchema(PAIR_VALUE_LENGTH_MAX))
  .refine((pairs) => Object.keys(pairs).length <= PAIRS_MAX, {
    message: `expected at most ${PAIRS_MAX} pairs`,
  })
  .refine((pairs) => Object.keys(pairs).every((key) => pairKeySchema.safeParse(key).success), {
    message: `expected keys of at most ${PAIR_KEY_LENGTH_MAX} characters, without zero bytes`,
  })
  .transform((pairs) => (Object.keys(pairs).length === 0 ? null : pairs));

function namesPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__');
}

/** Null where nothing is in it. A record of Zod drops `__proto__` unsaid, so that is refused. */
const metadataSchema = z
  .unknown()
  .refine((pairs) => !namesPrototype(pairs), {
    message: "expected no key '__proto__'",
    abort: true,
  })
  .pipe(pairsSchema)
  .meta({
    type: ['object', 'null'],
    maxProperties: PAIRS_MAX,
    additionalProperties: { type: 'string', maxLength: PAIR_VALUE_LENGTH_MAX },
  })
  .nullable();

const tagsSchema = z
  .array(lineSchema(TAG_LENGTH_MAX))
  .max(TAGS_MAX)
  .refine((tags) => new Set(tags).size === tags.length, { message: 'expected each tag once' })
  .transform((tags) => (tags.length === 0 ? null : tags))
  .nullable();

/** What may be set when a key is made and changed later; null takes it away. */
const powers = {
  limit: limitSchema.optional(),
  expires_at: expirySchema.optional().meta({
    format: 'date-time',
    description: 'In UTC. From then on the key is refused.',
  }),
  models: modelsSchema
    .optional()
    .describe('The only models that the key may use, by any name that requests may use.'),
  providers: providersSchema
    .optional()
    .describe('The only providers, by the names that the operator gave them.'),
  metadata: metadataSchema.optional().meta({
    maxProperties: PAIRS_MAX,
    description: 'Goes into the receipts of the key’s requests.',
  }),
  tags: tagsSchema
    .optional()
    .meta({ uniqueItems: true, description: 'Go into the receipts of the key’s requests.' }),
};

/** What only an inference key can have: a management key spends and runs nothing. */
export const INFERENCE_FIELDS = ['limit', 'models', 'providers'] as const;

export const keyDraftSchema = z
  .strictObject({
    name: nameSchema,
    ...powers,
    mode: z
      .enum(['live', 'test'])
      .optional()
      .describe('`live` where left out. A test key reaches only sandbox models and never spends.'),
    type: z
      .enum(['inference', 'management'])
      .default('inference')
      .describe('A management key makes keys and grants credit, and never runs inference.'),
  })
  .superRefine((draft, context) => {
    if (draft.type !== 'management') return;
    const message = 'a management key never runs inference and has none; leave it out';
    for (const field of ['mode', ...INFERENCE_FIELDS] as const) {
      if ((draft[field] ?? null) === null) continue;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .meta({ id: 'CreateKeyRequest' });

export const keyDraftForm = {
  place: 'POST /v1/keys',
  schema: keyDraftSchema,
  later: LATER_KEY_FIELDS,
  amounts: ['limit'],
} as const satisfies StrictForm<typeof keyDraftSchema>;

export const keyChangesSchema = z
  .strictObject({
    name: nameSchema.optional(),
    disabled: z.boolean().optional(),
    ...powers,
  })
  .refine((changes) => Object.keys(changes).length > 0, {
    message: 'expected at least one field to change, such as name, limit or disabled',
  })
  .meta({ id: 'UpdateKeyRequest', minProperties: 1 });

export const keyChangesForm = {
  place: 'PATCH /v1/keys/{hash}',
  schema: keyChangesSchema,
  later: LATER_KEY_FIELDS,
  amounts: ['limit'],
} as const satisfies StrictForm<typeof keyChangesSchema>;

export const keyRotationSchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(OVERLAP_SECONDS_MAX)
      .describe('For how long the present secret still works; 0: not at all, nor any older one.'),
  })
  .meta({ id: 'RotateKeyRequest' });

export const keyRotationForm = {
  place: 'POST /v1/keys/{hash}/rotate',
  schema: keyRotationSchema,
  later: [],
  amounts: [],
} as const satisfies StrictForm<typeof keyRotationSchema>;

export const keyListQuerySchema = z.strictObject({
  limit: queryNumberSchema(1, PAGE_MAX)
    .default(PAGE_MAX)
    .describe(`How many; ${PAGE_MAX} where left out.`),
  offset: queryNumberSchema(0, OFFSET_MAX).default(0).describe('How many to pass over.'),
});

export const keyListForm = {
  place: 'GET /v1/keys',
  schema: keyListQuerySchema,
  later: [],
  amounts: [],
} as const satisfies StrictForm<typeof keyListQuerySchema>;

/** US dollars. Days, weeks (from Monday) and months are those of UTC. */
const usageFields = {
  usage: z.number(),
  usage_daily: z.number(),
  usage_weekly: z.number(),
  usage_monthly: z.number(),
};

const oldSecretSchema = z
  .object({ label: z.string(), expires_at: z.iso.datetime() })
  .meta({ id: 'OldSecret' });

const keyFields = {
  hash: z.string().describe('`key_...`: the handle of the key in URLs, not derived from the key.'),
  name: z.string(),
  label: z.string().describe('Enough of the key to recognise it by.'),
  type: z.enum(['inference', 'management']),
  mode: z.enum(['live', 'test']).nullable().describe('Null for a management key.'),
  disabled: z.boolean(),
  limit: z.number().nullable().describe('US dollars. Null: no limit of its own.'),
  limit_remaining: z.number().nullable().describe('US dollars.'),
  limit_reset: z.null(),
  ...usageFields,
  expires_at: z.iso.datetime().nullable().describe('From then on the key is refused.'),
  models: z.array(z.string()).nullable().describe('The only ones it may use. Null: all.'),
  providers: z.array(z.string()).nullable().describe('The only ones it may use. Null: all.'),
  metadata: z.record(z.string(), z.string()).describe('Stands in the receipts of its requests.'),
  tags: z.array(z.string()).describe('Stand in the receipts of its requests.'),
  old_secrets: z
    .array(oldSecretSchema)
    .describe('What rotations replaced and what still works, the first to end first.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime().nullable(),
};

const keySchema = z.object(keyFields).meta({ id: 'Key' });

export const keyResponseSchema = z.object({ data: keySchema }).meta({ id: 'KeyResponse' });
export const keyCreatedResponseSchema = z
  .object({
    data: keySchema,
    key: z.string().describe('The secret itself: shown here and never again.'),
  })
  .meta({ id: 'KeyCreated' });
export const keyListResponseSchema = z
  .object({
    data: z.array(keySchema),
    has_more: z.boolean().describe('Whether there are more after these: ask with `offset`.'),
  })
  .meta({ id: 'KeyList' });
export const keyDeletedResponseSchema = z
  .object({ hash: z.string(), deleted: z.literal(true) })
  .meta({ id: 'KeyDeleted' });
/** GET /v1/key: the caller's own key. */
export const ownKeyResponseSchema = z
  .object({
    data: z
      .object({ ...keyFields, organization_id: z.string(), is_free_tier: z.literal(false) })
      .meta({ id: 'OwnKey' }),
  })
  .meta({ id: 'OwnKeyResponse' });

export type KeyDraftBody = z.output<typeof keyDraftSchema>;
export type KeyChangesBody = z.output<typeof keyChangesSchema>;
