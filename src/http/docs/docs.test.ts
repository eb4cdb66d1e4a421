/** What people read about the API, as a browser asks for it. */
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toText } from '#base/bytes.ts';
import { createStatusApp } from '../app.ts';
import { silentLog } from '#base/log.ts';
import { at, stringOf } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { ERROR_TABLE, GatewayError, type ErrorCode } from '#wire/errors.ts';
import { toOpenAiErrorBody } from '#wire/openai-error.ts';
import { Lifecycle } from '../lifecycle.ts';
import { REFERENCE_SCRIPT_PATH } from './reference-page.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway();
});
afterAll(() => house.close());

const CODES = Object.keys(ERROR_TABLE).filter((code): code is ErrorCode => code in ERROR_TABLE);

describe('the page of errors', () => {
  it('has a section for every code, where docs_url leads, with all that helps', async () => {
    for (const code of CODES) {
      const url = toOpenAiErrorBody(new GatewayError(code), 'req_1').error.metadata.docs_url;
      const [path = '', anchor] = url.split('#');
      const response = await house.app.request(path);
      expect(response.status).toBe(200);
      const html = await response.text();
      const section = html.split(`<section id="${anchor ?? ''}">`)[1]?.split('</section>')[0] ?? '';
      expect(section).toContain(`Status ${ERROR_TABLE[code].status}`);
      for (const word of ['Meaning', 'Cause', 'Remedy', 'Example']) {
        expect(section, code).toMatch(new RegExp(`${word}</(?:dt><dd>|summary><pre>).{9,}`));
      }
      const example = /<pre>[^{]*(?<json>\{[^<]*\})<\/pre>/s.exec(section)?.groups?.['json'] ?? '';
      const shown: unknown = JSON.parse(
        example.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
      );
      expect(at(shown, 'error', 'code')).toBe(code);
    }
  });

  it('is where an error that a client got leads', async () => {
    const refused = await house.get('/v1/models/none');
    const url = stringOf(at(await refused.json(), 'error', 'metadata', 'docs_url'));
    expect(url).toBe('/docs/errors#model_not_found');
    const page = await (await house.app.request(url)).text();
    expect(page).toContain('<section id="model_not_found">');
  });
});

describe('the reference', () => {
  it('loads its script from the gateway, and nothing from elsewhere', async () => {
    const response = await house.app.request('/docs');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('content-security-policy')).not.toMatch(/https?:|\*/);
    const html = await response.text();
    expect(html).toContain('data-url="/openapi.json"');
    expect(html).toContain(`<script src="${REFERENCE_SCRIPT_PATH}">`);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('has that script, for browsers with and without gzip, for a year', async () => {
    const plain = await house.app.request(REFERENCE_SCRIPT_PATH);
    const zipped = await house.app.request(REFERENCE_SCRIPT_PATH, {
      headers: { 'accept-encoding': 'deflate, gzip;q=0.5' },
    });
    const refused = await house.app.request(REFERENCE_SCRIPT_PATH, {
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    expect(plain.headers.get('content-type')).toContain('text/javascript');
    expect(plain.headers.get('cache-control')).toContain('immutable');
    expect([plain, zipped, refused].map(({ headers }) => headers.get('content-encoding'))).toEqual([
      null,
      'gzip',
      null,
    ]);
    const script = await plain.text();
    expect(script).toContain('createApiReference');
    expect(script).toContain('MIT License');
    expect(script).not.toContain('sourceMappingURL');
    expect(toText(gunzipSync(await zipped.arrayBuffer()))).toBe(script);
    expect(await refused.text()).toBe(script);
  });

  it('leads to the document where a runtime has no script', async () => {
    const app = createStatusApp({
      lifecycle: new Lifecycle(),
      log: silentLog,
      version: '1',
      pidFor: () => null,
    });
    const html = await (await app.request('/docs')).text();
    expect(html).toContain('href="/openapi.json"');
    expect(html).not.toContain('<script');
    expect((await app.request(REFERENCE_SCRIPT_PATH)).status).toBe(503);
    expect((await app.request('/openapi.json')).status).toBe(200);
  });
});
