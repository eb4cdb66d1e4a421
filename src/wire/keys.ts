/** The management surface of API keys, as OpenRouter names its fields; amounts are dollars. */
import { dollarsSchema, lineSchema, queryNumberSchema, type StrictForm } from './strict.ts';
import { z } from './z.ts';

const NAME_LENGTH_MAX = 100;
const PAGE_MAX = 100;
const OFFSET_MAX = 1_000_000;

/** Fields of a key that the contract has and that are not served yet. */
const LATER_KEY_FIELDS: readonly string[] = [
  'limit_reset',
  'expires_at',
  'models',
  'providers',
  'rpm',
  'tpm',
  'max_concurrency',
  'project_id',
];

const nameSchema = lineSchema(NAME_LENGTH_MAX);
const limitSchema = dollarsSchema({ zero: 'allowed' }).nullable();

export const keyDraftSchema = z
  .strictObject({
    name: nameSchema,
    /** Null or left out: no limit of its own. */
    limit: limitSchema.default(null),
    /** A test key reaches only sandbox models and never spends. */
    mode: z.enum(['live', 'test']).optional(),
    /** A management key makes keys and grants credit, and never runs inference. */
    type: z.enum(['inference', 'management']).default('inference'),
  })
  .superRefine((draft, context) => {
    if (draft.type !== 'management') return;
    const message = 'a management key never runs inference and has none; leave it out';
    if (draft.mode !== undefined) context.addIssue({ code: 'custom', path: ['mode'], message });
    if (draft.limit !== null) context.addIssue({ code: 'custom', path: ['limit'], message });
  });

export const keyDraftForm = {
  place: 'POST /v1/keys',
  schema: keyDraftSchema,
  later: LATER_KEY_FIELDS,
  amounts: ['limit'],
} as const satisfies StrictForm<typeof keyDraftSchema>;

export const keyChangesSchema = z
  .strictObject({
    name: nameSchema.optional(),
    limit: limitSchema.optional(),
    disabled: z.boolean().optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, {
    message: 'expected at least one of name, limit and disabled',
  });

export const keyChangesForm = {
  place: 'PATCH /v1/keys/{hash}',
  schema: keyChangesSchema,
  later: LATER_KEY_FIELDS,
  amounts: ['limit'],
} as const satisfies StrictForm<typeof keyChangesSchema>;

export const keyListQuerySchema = z.strictObject({
  limit: queryNumberSchema(1, PAGE_MAX).default(PAGE_MAX),
  offset: queryNumberSchema(0, OFFSET_MAX).default(0),
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

const keySchema = z.object({
  /** `key_...`: the handle of the key in URLs, not derived from the key. */
  hash: z.string(),
  name: z.string(),
  /** Enough of the key to recognise it by. */
  label: z.string(),
  type: z.enum(['inference', 'management']),
  /** Null for a management key. */
  mode: z.enum(['live', 'test']).nullable(),
  disabled: z.boolean(),
  limit: z.number().nullable(),
  limit_remaining: z.number().nullable(),
  limit_reset: z.null(),
  ...usageFields,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime().nullable(),
});

export const keyResponseSchema = z.object({ data: keySchema });
/** `key` is the secret itself: shown here and never again. */
export const keyCreatedResponseSchema = z.object({ data: keySchema, key: z.string() });
export const keyListResponseSchema = z.object({ data: z.array(keySchema), has_more: z.boolean() });
export const keyDeletedResponseSchema = z.object({ hash: z.string(), deleted: z.literal(true) });
/** GET /v1/key: the caller's own key. */
export const ownKeyResponseSchema = z.object({
  data: keySchema.extend({ organization_id: z.string(), is_free_tier: z.literal(false) }),
});

export type KeyDraftBody = z.output<typeof keyDraftSchema>;
export type KeyChangesBody = z.output<typeof keyChangesSchema>;
