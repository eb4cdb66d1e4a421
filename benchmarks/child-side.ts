/**
 * What every process of the rig does on its own side: says where it listens, and ends with the
 * benchmark.
 */
import type { Server } from 'node:net';

/** Listens on a free port of the loopback and sends it to the parent. */
export function listenOnLoopback(server: Server): void {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
  });
  exitWithParent();
}

export function exitWithParent(): void {
  process.on('disconnect', () => process.exit(0));
}

/** The nth argument of the command line, or an error that names what is missing. */
export function argumentAt(index: number, name: string): string {
  const value = process.argv[2 + index];
  if (value === undefined) throw new Error(`missing argument: ${name}`);
  return value;
}
