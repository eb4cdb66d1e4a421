/** API keys: made and changed with a management key, and a key's view of itself. */
import {
  keyChangesSchema,
  keyCreatedResponseSchema,
  keyDeletedResponseSchema,
  keyDraftSchema,
  keyListQuerySchema,
  keyListResponseSchema,
  keyResponseSchema,
  keyRotationSchema,
  ownKeyResponseSchema,
} from '#wire/keys.ts';
import { z } from '#wire/z.ts';
import { example, json, type Operation } from '../operation.ts';

const HASH = 'key_01m7y2h95332bth0chbmftjrhq';

const KEY = {
  hash: HASH,
  name: 'Continuous integration',
  label: 'sk-omx-live-Curm...zrUi',
  type: 'inference',
  mode: 'live',
  disabled: false,
  limit: 5,
  limit_remaining: 4.999_963,
  limit_reset: null,
  usage: 0.000_037,
  usage_daily: 0.000_037,
  usage_weekly: 0.000_037,
  usage_monthly: 0.000_037,
  expires_at: null,
  models: null,
  providers: null,
  metadata: {},
  tags: ['ci'],
  old_secrets: [],
  created_at: '2026-11-21T03:31:24.452Z',
  updated_at: null,
} as const;

const SECRET = 'sk-omx-live-(shown once)';

const paramsSchema = z.object({
  hash: z.string().meta({
    description: 'The `hash` of the key: `key_...`.',
    pattern: '^[^/]+$',
    examples: [HASH],
  }),
});

const MANAGED = {
  tag: 'Keys',
  caller: 'management',
} as const satisfies Partial<Operation>;

export const KEY_OPERATIONS: readonly Operation[] = [
  {
    ...MANAGED,
    method: 'post',
    path: '/v1/keys',
    operationId: 'createKey',
    once: true,
    summary: 'Create a key',
    body: {
      schema: keyDraftSchema,
      examples: {
        limited: {
          summary: 'A key that may spend five dollars',
          value: { name: 'Continuous integration', limit: '5.00', tags: ['ci'] },
        },
        test: { summary: 'A key for the sandbox', value: { name: 'Tests', mode: 'test' } },
        management: {
          summary: 'Another management key',
          value: { name: 'Terraform', type: 'management' },
        },
      },
    },
    answers: {
      201: {
        description: 'The key, and its secret: shown here and never again.',
        content: json(keyCreatedResponseSchema, example('A key', { data: KEY, key: SECRET })),
      },
    },
    errors: ['permission_denied', 'unknown_parameter'],
  },
  {
    ...MANAGED,
    method: 'get',
    path: '/v1/keys',
    operationId: 'listKeys',
    summary: 'List keys',
    query: keyListQuerySchema,
    answers: {
      200: {
        description: 'Keys of the organization, the newest first.',
        content: json(keyListResponseSchema, example('A page', { data: [KEY], has_more: false })),
      },
    },
    errors: ['permission_denied', 'invalid_value', 'unknown_parameter'],
  },
  {
    ...MANAGED,
    method: 'get',
    path: '/v1/keys/{hash}',
    operationId: 'getKey',
    summary: 'Get a key',
    params: paramsSchema,
    answers: {
      200: {
        description: 'The key, without its secret.',
        content: json(keyResponseSchema, example('A key', { data: KEY })),
      },
    },
    errors: ['permission_denied', 'not_found'],
  },
  {
    ...MANAGED,
    method: 'patch',
    path: '/v1/keys/{hash}',
    operationId: 'updateKey',
    summary: 'Change a key',
    description: 'What is left out stays as it is. Counts at once for new requests.',
    params: paramsSchema,
    body: {
      schema: keyChangesSchema,
      examples: {
        limit: { summary: 'Raise the limit', value: { limit: '20.00' } },
        disable: { summary: 'Stop it for now', value: { disabled: true } },
      },
    },
    answers: {
      200: {
        description: 'The key as it is now.',
        content: json(keyResponseSchema, example('A key', { data: { ...KEY, limit: 20 } })),
      },
    },
    errors: ['permission_denied', 'not_found', 'unknown_parameter'],
  },
  {
    ...MANAGED,
    method: 'delete',
    path: '/v1/keys/{hash}',
    operationId: 'deleteKey',
    summary: 'Delete a key',
    params: paramsSchema,
    answers: {
      200: {
        description: 'It is refused from now on.',
        content: json(keyDeletedResponseSchema, example('Deleted', { hash: HASH, deleted: true })),
      },
    },
    errors: ['permission_denied', 'not_found', 'invalid_value'],
  },
  {
    ...MANAGED,
    method: 'post',
    path: '/v1/keys/{hash}/rotate',
    operationId: 'rotateKey',
    once: true,
    summary: 'Rotate a key',
    description: 'A new secret for the same key; the present one works on for a while.',
    params: paramsSchema,
    body: {
      schema: keyRotationSchema,
      examples: example('An hour to switch over', { overlap_seconds: 3600 }),
    },
    answers: {
      201: {
        description: 'The key, and its new secret: shown here and never again.',
        content: json(keyCreatedResponseSchema, example('A key', { data: KEY, key: SECRET })),
      },
    },
    errors: ['permission_denied', 'not_found', 'unknown_parameter'],
  },
  {
    method: 'get',
    path: '/v1/key',
    operationId: 'getOwnKey',
    tag: 'Keys',
    summary: 'Get the key that asks',
    caller: 'any-key',
    answers: {
      200: {
        description: 'The key, its limit and what it used.',
        content: json(
          ownKeyResponseSchema,
          example('A key', {
            data: {
              ...KEY,
              organization_id: 'org_01m7y2h8gqn0bt9f8nm86n5rgp',
              is_free_tier: false,
            },
          }),
        ),
      },
    },
    errors: [],
  },
];
