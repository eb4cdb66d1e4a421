/**
 * What `worker.ts` uses of the Workers runtime. Cloudflare's own types redefine the web's globals
 * for the whole program, and the other files of it run elsewhere too.
 */
declare module 'cloudflare:workers' {
  import type { ObjectSql } from '#store/durable-journal.ts';
  import type { WorkerBindings } from '#worker-bindings.ts';

  export interface DurableObjectState {
    readonly storage: {
      readonly sql: ObjectSql;
      /** There is one alarm; a later call moves it. */
      setAlarm(atMs: number): Promise<void>;
      getAlarm(): Promise<number | null>;
    };
  }

  /** Its public methods can be called from elsewhere. */
  export abstract class DurableObject<Bindings> {
    protected readonly ctx: DurableObjectState;
    protected readonly env: Bindings;
    constructor(ctx: DurableObjectState, env: Bindings);
  }

  /** Keeps the context of the running request alive, at most 30 s after its client has gone. */
  export function waitUntil(promise: Promise<unknown>): void;

  /** In tests: the bindings, and the entry's own default export. */
  export const env: WorkerBindings;
  export const exports: { readonly default: { fetch(request: Request): Promise<Response> } };
}

declare module 'cloudflare:test' {
  import type { DurableObjectState } from 'cloudflare:workers';

  /** Runs the callback inside the object. */
  export function runInDurableObject<Answer>(
    stub: object,
    callback: (instance: object, state: DurableObjectState) => Answer | Promise<Answer>,
  ): Promise<Answer>;
  /** Runs the alarm that is set, now. False: there is none. */
  export function runDurableObjectAlarm(stub: object): Promise<boolean>;
  /** All objects die at once; what they stored stays. */
  export function abortAllDurableObjects(): Promise<void>;
}
