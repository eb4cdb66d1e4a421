/**
 * What people and programs read about the API: the reference at /docs, its OpenAPI document, and a
 * section per error code.
 */
import type { Context, Hono } from 'hono';
import { webDigests } from '#base/digest.ts';
import type { Awaitable } from '#base/result.ts';
import { errorPage } from './error-page.ts';
import { REFERENCE_SCRIPT_PATH, referencePage } from './reference-page.ts';

export interface DocsServices {
  readonly version: string;
  /**
   * The script of the reference, gzipped. A runtime that leaves it out shows /docs without it: a
   * page that leads to the document.
   */
  readonly referenceScript?: () => Awaitable<Uint8Array>;
}

const HOUR = 'public, max-age=3600';
const YEAR = 'public, max-age=31536000, immutable';

/** What the reference may load and ask: nothing but this gateway. */
const REFERENCE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Made at the first ask and kept. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

interface Document {
  readonly text: string;
  readonly etag: string;
}

async function createDocument(version: string): Promise<Document> {
  // Loaded when somebody asks: the schemas of answers are of no use to the gateway itself.
  const { createOpenApiText } = await import('../openapi/document.ts');
  const text = createOpenApiText(version);
  return { text, etag: `"${await webDigests.sha256(text)}"` };
}

function isKnown(context: Context, etag: string): boolean {
  const known = context.req.header('if-none-match') ?? '';
  return known === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

function acceptsGzip(context: Context): boolean {
  return /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(
    context.req.header('accept-encoding') ?? '',
  );
}

function unzip(bytes: Uint8Array): ReadableStream {
  return new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
}

function addReference(app: Hono, read: NonNullable<DocsServices['referenceScript']>): void {
  app.get(REFERENCE_SCRIPT_PATH, async (context) => {
    const bytes = await read();
    const headers = {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': YEAR,
      vary: 'accept-encoding',
    };
    if (!acceptsGzip(context)) return new Response(unzip(bytes), { headers });
    return new Response(new Uint8Array(bytes), {
      headers: { ...headers, 'content-encoding': 'gzip' },
    });
  });
}

/** Adds the routes. None of them asks for a key, and none tells anything about this gateway. */
export function addDocsRoutes(app: Hono, { version, referenceScript }: DocsServices): void {
  const document = once(() => createDocument(version));
  app.get('/openapi.json', async (context) => {
    const { text, etag } = await document();
    const headers = { etag, 'cache-control': 'no-cache', 'access-control-allow-origin': '*' };
    if (isKnown(context, etag)) return new Response(null, { status: 304, headers });
    return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } });
  });
  const errors = once(errorPage);
  app.get('/docs/errors', (context) => context.html(errors(), 200, { 'cache-control': HOUR }));
  const page = referencePage(referenceScript !== undefined);
  app.get('/docs', (context) =>
    context.html(page, 200, {
      'cache-control': HOUR,
      'content-security-policy': REFERENCE_POLICY,
    }),
  );
  if (referenceScript !== undefined) addReference(app, referenceScript);
}
