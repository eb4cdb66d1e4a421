/**
 * Zod without what the gateway never uses: the words of fifty languages, schemas compiled by `eval`
 * (which Workers refuse), schemas read from JSON. `wrangler.toml` puts this in zod's place in the
 * bundle; `worker-zod.test.ts` names what is missing.
 */
export * from './worker-zod-exports.mjs';
export * as z from './worker-zod-exports.mjs';
export * as default from './worker-zod-exports.mjs';
