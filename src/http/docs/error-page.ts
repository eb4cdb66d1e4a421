/**
 * GET /docs/errors: the page that `docs_url` of every error points to, made from the error table.
 */
import { ERROR_TABLE, type ErrorRow } from '#wire/errors.ts';

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function section([code, row]: readonly [code: string, row: ErrorRow]): string {
  const retry = row.clientRetries ? 'Clients retry it by themselves.' : 'Clients do not retry it.';
  return (
    `<section id="${code}"><h2><code>${code}</code></h2>` +
    `<p>Status ${row.status}, type <code>${row.type}</code>. ${retry}</p>` +
    `<p>${escape(row.message)}</p><p>${escape(row.docs)}</p></section>`
  );
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;' +
  'color-scheme:light dark}section:target{outline:2px solid;outline-offset:.5rem}';

/** The whole page as HTML. The same every time: make it once. */
export function errorPage(): string {
  const rows: readonly (readonly [string, ErrorRow])[] = Object.entries(ERROR_TABLE);
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width">' +
    `<title>Errors of OmniX</title><style>${STYLE}</style><h1>Errors</h1>` +
    '<p>Every error has this form: <code>{"error": {"message", "type", "param", "code", ' +
    '"metadata"}}</code>. <code>metadata.request_id</code> is what to quote.</p>' +
    `${rows.map(section).join('')}</html>`
  );
}
