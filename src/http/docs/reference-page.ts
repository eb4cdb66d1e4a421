/**
 * GET /docs: the reference, drawn in the browser by Scalar from /openapi.json. The script comes
 * from this gateway and the page asks nobody else (docs/decisions/0016), so it works without the
 * internet.
 */

/** Of the package @scalar/api-reference, whose file `api-reference.js.gz` is. */
export const SCALAR_VERSION = '1.72.1';

/** Holds the version, so that browsers may keep it for ever. */
export const REFERENCE_SCRIPT_PATH = `/docs/api-reference-${SCALAR_VERSION}.js`;

/** What would lead elsewhere is off: fonts, telemetry, assistants, other people's clients. */
const CONFIGURATION = JSON.stringify({
  agent: { disabled: true },
  hideClientButton: true,
  mcp: { disabled: true },
  persistAuth: false,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
}).replaceAll('"', '&quot;');

const LINKS =
  '<p>The API is described in <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1), its ' +
  'errors in <a href="/docs/errors">/docs/errors</a>.</p>';

/** The whole page as HTML. */
export function referencePage(withScript: boolean): string {
  const body = withScript
    ? `<noscript>${LINKS}</noscript>` +
      `<script id="api-reference" type="application/json" data-url="/openapi.json" data-configuration="${CONFIGURATION}">` +
      `</script><script src="${REFERENCE_SCRIPT_PATH}"></script>`
    : LINKS;
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<title>OmniX API reference</title><body>${body}</body></html>`
  );
}
