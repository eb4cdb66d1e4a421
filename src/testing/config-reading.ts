/**
 * Configurations as tests write them: read from a file of their own, and refusals as lists of
 * faults, which never hold the operator's secret.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ConfigRefused, readConfig, type Config } from '#config.ts';

const directory = mkdtempSync(join(tmpdir(), 'omnix-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
export const SECRET = 'sk-canary-secret-of-the-operator';

/** The path of a file with this text. */
export function fileOf(text: string, name = 'omnix.yaml'): string {
  const path = join(mkdtempSync(join(directory, 'file-')), name);
  writeFileSync(path, text);
  return path;
}

export type Environment = Readonly<Record<string, string>>;

export function read(text: string, env: Environment = {}): Config {
  return readConfig({ OMNIX_CONFIG: fileOf(text), ...env });
}

/** The refusal without the name of the file: `:3  path: message`, sorted by line. */
export function faultsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof ConfigRefused)) throw thrown;
    if (thrown.message.includes(SECRET))
      throw new Error('a fault tells a secret', { cause: thrown });
    const [, ...faults] = thrown.message.split('\n');
    return faults.map((fault) => fault.trim().replace(/^\S*omnix\.(yaml|json)/, ''));
  }
  return [];
}
export const faults = (text: string, env: Environment = {}): string[] =>
  faultsOf(() => read(text, env));
export const envFaults = (env: Environment): string[] => faultsOf(() => read('', env));

/** A text as a pattern of all of it. */
export function exactly(fault: string | RegExp): RegExp {
  if (typeof fault !== 'string') return fault;
  return new RegExp(`^${fault.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`)}$`);
}

export const HOST = `providers:
  mine:
    type: openai-compatible
    base_url: http://127.0.0.1:9/v1
    api_key: ${SECRET}
`;
