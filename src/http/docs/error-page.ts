/**
 * GET /docs/errors: the page that `docs_url` of every error points to, made from the error table: a
 * section for each code with its meaning, cause, remedy and an example.
 */
import { ERROR_TABLE, GatewayError, type ErrorCode, type ErrorRow } from '#wire/errors.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { ERROR_GUIDE } from './error-guide.ts';

const REQUEST_ID = 'req_01m7xh7n4bwmks16wbqdmz1zdm';
const CODES = Object.keys(ERROR_TABLE).filter((code): code is ErrorCode => code in ERROR_TABLE);

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

/** The answer as it stands on the wire. */
function exampleOf(code: ErrorCode): string {
  const error = new GatewayError(code);
  const headers = errorHeaders(error).map(([name, value]) => `${name}: ${value}`);
  const body = JSON.stringify(toOpenAiErrorBody(error, REQUEST_ID), null, 2);
  const head = [`HTTP/1.1 ${error.status}`, 'content-type: application/json', ...headers];
  return escape(`${head.join('\n')}\n\n${body}`);
}

function section(code: ErrorCode): string {
  const row: ErrorRow = ERROR_TABLE[code];
  const { cause, remedy } = ERROR_GUIDE[code];
  const retry = row.clientRetries ? 'Clients retry it by themselves.' : 'Clients do not retry it.';
  return (
    `<section id="${code}"><h2><a href="#${code}"><code>${code}</code></a></h2>` +
    `<p>Status ${row.status}, type <code>${row.type}</code>. ${retry}</p><dl>` +
    `<dt>Meaning</dt><dd>${prose(row.message)} ${prose(row.docs)}</dd>` +
    `<dt>Cause</dt><dd>${prose(cause)}</dd><dt>Remedy</dt><dd>${prose(remedy)}</dd></dl>` +
    `<details><summary>Example</summary><pre>${exampleOf(code)}</pre></details></section>`
  );
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;' +
  'color-scheme:light dark}section:target{outline:2px solid;outline-offset:.5rem}' +
  'dt{font-weight:600}dd{margin:0 0 .5rem}pre{overflow-x:auto}h2 a{color:inherit}';

/** The whole page as HTML. The same every time: make it once. */
export function errorPage(): string {
  const list = CODES.map((code) => `<li><a href="#${code}"><code>${code}</code></a></li>`);
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width">' +
    `<title>Errors of OmniX</title><style>${STYLE}</style><h1>Errors</h1>` +
    '<p>Every error has this form: <code>{"error": {"message", "type", "param", "code", ' +
    '"metadata"}}</code>. <code>metadata.request_id</code> is what to quote. The reference of the ' +
    `API is at <a href="/docs">/docs</a>.</p><ul>${list.join('')}</ul>` +
    `${CODES.map(section).join('')}</html>`
  );
}
