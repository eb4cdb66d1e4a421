/**
 * `npm run check`: everything that is known about the code without running it. The tools run at
 * once; one line tells the time of each, and below it what a tool that failed has to say.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Tool {
  readonly name: string;
  /** As `scripts/bootstrap.mjs` takes them: a tool of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly remedy?: string;
}

interface Verdict {
  readonly tool: Tool;
  readonly passed: boolean;
  readonly output: string;
}

const TOOLS: readonly Tool[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'], remedy: 'npm run format' },
  {
    name: 'lint',
    command: [
      'oxlint',
      '--type-aware',
      '--deny-warnings',
      '--report-unused-disable-directives',
      '.',
    ],
  },
  { name: 'types of the rooms', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'types of Node and tests', command: ['tsc', '-p', 'tsconfig.node.json'] },
  { name: 'types of the SDK', command: ['tsc', '-p', 'sdk/typescript/tsconfig.json'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
];

const bootstrap = fileURLToPath(new URL('bootstrap.mjs', import.meta.url));

/** Runs one tool and prints its line as soon as it has ended. Never rejects. */
async function runTool(tool: Tool): Promise<Verdict> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [bootstrap, ...tool.command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${tool.name.padEnd(24)} ${seconds.padStart(5)} s`);
  return { tool, passed, output: Buffer.concat(pieces).toString('utf8') };
}

function describeFailure({ tool, output }: Verdict): string {
  const remedy = tool.remedy === undefined ? '' : `Run "${tool.remedy}".\n`;
  return `\n${tool.name} (${tool.command.join(' ')}):\n\n${output.trim()}\n${remedy}`;
}

const startedAtMs = performance.now();
const verdicts = await Promise.all(TOOLS.map(runTool));
const failures = verdicts.filter((verdict) => !verdict.passed);
for (const failure of failures) console.log(describeFailure(failure));
const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
console.log(`check: ${failures.length === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
process.exitCode = failures.length === 0 ? 0 : 1;
