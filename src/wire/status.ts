/** What the gateway says of itself without a key: for probes, and to who asks what this is. */
import { z } from './z.ts';

export const serviceSchema = z
  .object({
    name: z.literal('OmniX'),
    version: z.string(),
    api: z.string().describe('Where the API starts.'),
    ready: z.string().describe('Where to ask whether requests can be served.'),
  })
  .meta({ id: 'Service' });

export const healthSchema = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    pid: z.int().optional().describe('Of the serving process; told to callers on its machine.'),
  })
  .meta({ id: 'Health' });

export const readySchema = z
  .object({ status: z.literal('ready'), version: z.string() })
  .meta({ id: 'Ready' });

export const notReadySchema = z
  .object({
    status: z.literal('not_ready'),
    reason: z.string().describe('What it waits for or lacks, or `draining`.'),
  })
  .meta({ id: 'NotReady' });
