/** The management routes as one app, to be mounted at /v1. */
import type { Hono } from 'hono';
import { addCreditRoutes } from './credits.ts';
import { createFrame } from './frame.ts';
import { addGenerationRoutes } from './generation.ts';
import { runOnce } from './run-once.ts';
import { addKeyRoutes } from './keys.ts';
import type { ApiEnv, ApiServices } from './ports.ts';

const PATHS = ['/keys/*', '/key', '/credits/*', '/generation'];

/**
 * Keys, credit and receipts. A path that is none of theirs is left to the app that mounts this
 * one.
 */
export function createManagementApp(services: ApiServices): Hono<ApiEnv> {
  const app = createFrame(services, PATHS);
  for (const path of PATHS) app.use(path, runOnce(services));
  addKeyRoutes(app, services);
  addCreditRoutes(app, services);
  addGenerationRoutes(app, services);
  return app;
}
