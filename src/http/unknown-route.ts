/**
 * The answer at an address where nothing is: what the caller probably meant, and where the routes
 * are described. Addresses that he copied from elsewhere are told from those that come later.
 */
import type { GatewayError } from '#wire/errors.ts';
import { unknownUrl } from '#wire/refusals.ts';

/** First words, below /v1 or (Gemini's) beside it, of what comes in a later step. */
const LATER_CHATS = ['responses', 'conversations', 'messages', 'completions', 'v1beta'];
const LATER = LATER_CHATS.concat(
  ['images', 'videos', 'audio', 'files', 'batches', 'rerank', 'moderations'],
  ['organization'],
);

/** Routes to which clients complete their base URL. */
const COMPLETED = /^\/v1(\/chat\/completions|\/embeddings)\/./;

/** `path` as it was meant (`forgiving-path.ts`). Undefined where there is nothing more to say. */
function hintFor(path: string): string | undefined {
  const completed = COMPLETED.exec(path)?.[1];
  if (completed !== undefined) {
    return `Clients add ${completed} to their base URL: let that end in /v1.`;
  }
  if (path.startsWith('/api/v1/')) return 'The API is at /v1 here: leave out /api.';
  const word = path.replace(/^\/v1\//, '/').split('/', 2)[1] ?? '';
  if (!LATER.includes(word)) return undefined;
  const instead = LATER_CHATS.includes(word) ? 'Use POST /v1/chat/completions. ' : '';
  return `That API is not served yet. ${instead}GET /docs shows what is.`;
}

/** 404. `asked` is shown, `meant` is what it was read as; neither with its query. */
export function unknownRoute(
  method: string,
  { asked, meant }: { readonly asked: string; readonly meant: string },
): GatewayError {
  return unknownUrl(method, asked, hintFor(meant));
}
