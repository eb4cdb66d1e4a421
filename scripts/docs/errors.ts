/**
 * Makes docs/errors.md, a section per error code, out of the table that the program answers with.
 * `node scripts/bootstrap.mjs scripts/docs/errors.ts` writes it; a test fails while it is stale.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_TABLE, type ErrorCode, type ErrorRow } from '#wire/errors.ts';

export const ERROR_PAGE = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));

/** Codes that the contract fixes for features that are not served yet; a test keeps this true. */
export const LATER_CODES: readonly ErrorCode[] = ['budget_exceeded'];

const HEAD = `<!-- Made by scripts/docs/errors.ts from src/wire/errors.ts: change them and run it again. -->

# Errors

Every error is OpenAI's envelope with \`metadata\` added:

    {
      "error": {
        "message": "Invalid type for 'temperature': expected a number, but got a string instead.",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "invalid_type",
        "metadata": {
          "error_type": "invalid_request",
          "provider": null,
          "limit_source": null,
          "retryable": false,
          "docs_url": "/docs/errors#invalid_type",
          "request_id": "req_01m7xh7n4bwmks16wbqdmz1zdm"
        }
      }
    }

- \`code\` is what programs should look at. \`message\` is for people and may change.
- \`param\` is the path of the field at fault, the header or the query parameter; null where there is none.
- \`metadata.provider\` is the configured provider that failed; \`limit_source\` says whose limit refused.
- \`retryable\` says whether the same request may succeed later. \`x-should-retry\` says whether a client should
  try again by itself: no, where every endpoint was tried already. \`retry-after\` and \`retry-after-ms\` say when,
  where that is known. The official clients obey these headers.
- A stream that breaks after it has begun keeps its status 200. Its last event is \`data: {"error": ...}\` of the
  same form, and no \`[DONE]\` follows.
- The request id stands in the header \`x-request-id\` and in the log of the server. Of a request that was sent to
  a provider, \`GET /v1/generation?id=req_...\` shows the receipt, also when it failed.
`;

/** The whole page, Markdown. */
export function renderErrorPage(): string {
  const rows = Object.entries(ERROR_TABLE);
  const list = rows.map(([code, row]) => `| ${row.status} | [${code}](#${code}) | ${row.family} |`);
  const table = ['| status | code | `metadata.error_type` |', '|---|---|---|', ...list].join('\n');
  return [HEAD, table, ...rows.map(([code, row]) => section(code, row))].join('\n') + '\n';
}

function section(code: string, row: ErrorRow): string {
  const later = LATER_CODES.some((other) => other === code);
  const retries = row.clientRetries ? `yes${pause(row)}` : 'no';
  return [
    `\n## ${code}\n`,
    `Status ${row.status}, \`type\` \`${row.type}\`. May succeed later: ${row.retryable ? 'yes' : 'no'}. ` +
      `Clients retry by themselves: ${retries}.\n`,
    `> ${row.message}\n`,
    row.docs,
    ...(later ? ['\nNot given out yet: what it belongs to is not served yet.'] : []),
  ].join('\n');
}

function pause(row: ErrorRow): string {
  return row.retryAfterMs === undefined
    ? ''
    : `, after ${row.retryAfterMs} ms if nothing else is said`;
}

if (import.meta.main) writeFileSync(ERROR_PAGE, renderErrorPage());
