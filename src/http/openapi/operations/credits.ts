/** Credit: what there is, and grants. */
import {
  creditGrantResponseSchema,
  creditGrantSchema,
  creditsResponseSchema,
} from '#wire/credits.ts';
import { example, json, type Operation } from '../operation.ts';

export const CREDIT_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/credits',
    operationId: 'getCredits',
    tag: 'Credits',
    summary: 'Get the credit of the organization',
    description: 'A test key is shown the credit of the sandbox: the one that it uses.',
    caller: 'any-key',
    answers: {
      200: {
        description: 'What was granted, what was charged, what is held and what is left.',
        content: json(
          creditsResponseSchema,
          example('Credit', {
            data: {
              total_credits: 25,
              total_usage: 0.000_037,
              held: 0.001_2,
              available: 24.998_763,
            },
          }),
        ),
      },
    },
    errors: [],
  },
  {
    method: 'post',
    path: '/v1/credits/grants',
    operationId: 'createCreditGrant',
    once: true,
    tag: 'Credits',
    summary: 'Grant credit',
    caller: 'management',
    body: {
      schema: creditGrantSchema,
      examples: example('Ten dollars', { amount_usd: '10.00', reason: 'Opening credit' }),
    },
    answers: {
      201: {
        description: 'Granted. It counts at once.',
        content: json(
          creditGrantResponseSchema,
          example('A grant', {
            data: {
              id: 'grant_01m7y2h959ahd66h36kraz41h4',
              amount_usd: 10,
              reason: 'Opening credit',
              mode: 'live',
              expires_at: null,
              created_at: '2026-11-21T03:31:24.457Z',
            },
          }),
        ),
      },
    },
    errors: ['permission_denied', 'unknown_parameter'],
  },
];
