/** Credit of an organization: what it has, and grants to it. Amounts are dollars. */
import { dollarsSchema, lineSchema, type StrictForm } from './strict.ts';
import { z } from './z.ts';

const REASON_LENGTH_MAX = 500;

export const creditGrantSchema = z
  .strictObject({
    amount_usd: dollarsSchema({ zero: 'refused' }),
    reason: lineSchema(REASON_LENGTH_MAX).describe('One line; told on statements.'),
    mode: z
      .enum(['live', 'test'])
      .optional()
      .describe(
        'Test credit pays for the models under `sandbox/` and nothing else. Default: live.',
      ),
  })
  .meta({ id: 'CreateCreditGrantRequest' });

export const creditGrantForm = {
  place: 'POST /v1/credits/grants',
  schema: creditGrantSchema,
  later: ['expires_at'],
  amounts: ['amount_usd'],
} as const satisfies StrictForm<typeof creditGrantSchema>;

const creditGrantResourceSchema = z
  .object({
    id: z.string().describe('`grant_...`'),
    amount_usd: z.number(),
    reason: z.string(),
    mode: z.enum(['live', 'test']),
    expires_at: z.null(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'CreditGrant' });

export const creditGrantResponseSchema = z
  .object({ data: creditGrantResourceSchema })
  .meta({ id: 'CreditGrantResponse' });

const creditsSchema = z
  .object({
    total_credits: z.number().describe('All that was ever granted, in US dollars.'),
    total_usage: z.number().describe('All that was ever charged, in US dollars.'),
    held: z.number().describe('In use by requests that run now, in US dollars.'),
    available: z
      .number()
      .describe('What a new request can use: credits less usage less held, in US dollars.'),
  })
  .meta({ id: 'Credits' });

export const creditsResponseSchema = z
  .object({ data: creditsSchema })
  .meta({ id: 'CreditsResponse' });
