/** What wrangler.toml and the secrets of a deployment give to `worker.ts`. */
import type { OutcomeBatch } from '#ledger/durable-outcomes.ts';
import type { RemoteLedger } from '#ledger/worker-ledger.ts';
import type { Hyperdrive } from '#store/postgres.worker.ts';
import type { Assets } from './worker-tokens.ts';

export interface QueueMessage<Body> {
  readonly body: Body;
  /** How often it was delivered, this time included. */
  readonly attempts: number;
  ack(): void;
  retry(options: { readonly delaySeconds: number }): void;
}

export interface WorkerBindings {
  /** One object per organization. */
  readonly LEDGER: { getByName(organizationId: string): RemoteLedger };
  readonly OUTCOMES: {
    send(body: OutcomeBatch, options: { readonly contentType: 'v8' }): Promise<unknown>;
  };
  /** The tokenizer's table. */
  readonly ASSETS: Assets;
  /** The way to Postgres. */
  readonly HYPERDRIVE: Hyperdrive;
}
