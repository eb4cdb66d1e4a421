/**
 * The way to Zod for the whole house. What `.meta()` and `.describe()` say of a schema goes into
 * the published OpenAPI document, and a schema with an `id` stands there under that name.
 */
export { z } from 'zod';
