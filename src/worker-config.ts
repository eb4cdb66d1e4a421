/**
 * The configuration on Workers: the variables and secrets of the deployment, and the config file as
 * the text of one of them. The same names as on Node, and the same refusals.
 */
import { z } from 'zod';
import type { LogLevel } from '#base/log.ts';
import type { DirectoryConfig } from './compose-shared.ts';
import type { Environment } from './config-environment.ts';
import { parseConfigFile, pathText, toWords, type ParsedFile } from './config-file.ts';
import { faultText, placeConfig, refuse } from './config-places.ts';
import type { WorkerBindings } from './worker-bindings.ts';

export interface WorkerConfig extends DirectoryConfig {
  readonly secret: string;
  readonly logLevel: LogLevel;
}

const FILE = 'OMNIX_CONFIG';
const environmentSchema = z.object({
  OMNIX_SECRET: z.string().min(16, 'expected at least 16 characters'),
  OMNIX_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** The file's content, not its name: there are no files here. */
  OMNIX_CONFIG: z.string().default(''),
});
const KNOWN = new Set(Object.keys(environmentSchema.shape));

function readVariables(env: Environment): z.infer<typeof environmentSchema> {
  const faults = Object.keys(env)
    .filter((name) => name.startsWith('OMNIX_') && !KNOWN.has(name))
    .map((name) => `  ${name}: there is no such variable on Workers`);
  const parsed = environmentSchema.safeParse(env, { error: toWords });
  for (const { path, message } of parsed.error?.issues ?? []) {
    faults.push(`  ${path.join('.')}: ${message}`);
  }
  if (!parsed.success || faults.length > 0) refuse(faults);
  return parsed.data;
}

function readFile(text: string, env: Environment): ParsedFile {
  const parsed = parseConfigFile(text, env);
  if (!parsed.ok) refuse(parsed.faults.map((fault) => faultText(fault, FILE)));
  return parsed.file;
}

/** Reads everything. Throws ConfigRefused with all faults and their names. */
export function readWorkerConfig(bindings: WorkerBindings): WorkerConfig {
  const env: Environment = Object.fromEntries(
    Object.entries(bindings).filter(([, value]) => typeof value === 'string' && value !== ''),
  );
  const variables = readVariables(env);
  const { content, lineOf } = readFile(variables.OMNIX_CONFIG, env);
  const faults: string[] = [];
  const placed = placeConfig(content, {
    env,
    // Cloudflare's network leads to no private one.
    egressFault: () => null,
    fault: (steps, message) => {
      faults.push(faultText({ path: pathText(steps), line: lineOf(steps), message }, FILE));
    },
    refuse: (fault) => void faults.push(fault),
  });
  if (faults.length > 0) refuse(faults);
  return {
    ...placed,
    secret: variables.OMNIX_SECRET,
    logLevel: variables.OMNIX_LOG_LEVEL,
    configPath: FILE,
    lineOf,
  };
}
