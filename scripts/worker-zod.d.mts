/** What `worker-zod.mjs` is for a type checker: zod. */
export * from 'zod';
export { z } from 'zod';
