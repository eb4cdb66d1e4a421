/**
 * The way to Zod for the whole house: the `z` that also knows `.openapi()`, so that every schema
 * can become a part of the published OpenAPI document.
 */
export { z } from '@hono/zod-openapi';
