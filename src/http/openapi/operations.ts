/**
 * Every operation that the API has, in the order of the reference. A new route is mounted in
 * `http/app.ts` and described by an entry in one of these files; a test fails while one of the two
 * is missing.
 */
import type { Operation } from './operation.ts';
import { CHAT_OPERATIONS } from './operations/chat.ts';
import { CREDIT_OPERATIONS } from './operations/credits.ts';
import { EMBEDDING_OPERATIONS } from './operations/embeddings.ts';
import { ESTIMATE_OPERATIONS } from './operations/estimate.ts';
import { GENERATION_OPERATIONS } from './operations/generation.ts';
import { KEY_OPERATIONS } from './operations/keys.ts';
import { MODEL_OPERATIONS } from './operations/models.ts';
import { STATUS_OPERATIONS } from './operations/status.ts';

export const OPERATIONS: readonly Operation[] = [
  ...CHAT_OPERATIONS,
  ...EMBEDDING_OPERATIONS,
  ...ESTIMATE_OPERATIONS,
  ...MODEL_OPERATIONS,
  ...GENERATION_OPERATIONS,
  ...KEY_OPERATIONS,
  ...CREDIT_OPERATIONS,
  ...STATUS_OPERATIONS,
];
