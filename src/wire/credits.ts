/** Credit of an organization: what it has, and grants to it. Amounts are dollars. */
import { dollarsSchema, lineSchema, type StrictForm } from './strict.ts';
import { z } from './z.ts';

const REASON_LENGTH_MAX = 500;

export const creditGrantSchema = z.strictObject({
  amount_usd: dollarsSchema({ zero: 'refused' }),
  /** Told on statements. */
  reason: lineSchema(REASON_LENGTH_MAX),
});

export const creditGrantForm = {
  place: 'POST /v1/credits/grants',
  schema: creditGrantSchema,
  later: ['expires_at'],
  amounts: ['amount_usd'],
} as const satisfies StrictForm<typeof creditGrantSchema>;

export const creditGrantResponseSchema = z.object({
  data: z.object({
    id: z.string(),
    amount_usd: z.number(),
    reason: z.string(),
    expires_at: z.null(),
    created_at: z.iso.datetime(),
  }),
});

export const creditsResponseSchema = z.object({
  data: z.object({
    /** All that was ever granted. */
    total_credits: z.number(),
    /** All that was ever charged. */
    total_usage: z.number(),
    /** In use by requests that run now. */
    held: z.number(),
    /** What a new request can use: credits less usage less held. */
    available: z.number(),
  }),
});
