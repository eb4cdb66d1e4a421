/** What the sections of the benchmark share: what they are given, and what they give back. */
import type { Load } from './load-client.ts';
import type { LoadResult } from './load-protocol.ts';
import type { Omnix } from './omnix.ts';
import type { Row } from './ratios.ts';
import type { Subject, SubjectName } from './subjects.ts';

/** How much is measured. Everything else is the same in a quick run. */
export interface Scale {
  readonly jsonRounds: number;
  readonly streamRounds: number;
  readonly latencyRounds: number;
  readonly largeRounds: number;
  readonly otherRounds: number;
  /**
   * How long each subject is loaded in a round: short, since many short turns even out what
   * disturbs.
   */
  readonly sliceMs: number;
  /** How long each subject is loaded before anything is measured. */
  readonly firstWarmUpMs: number;
  /** How long it is loaded with what is to be measured, before it is. */
  readonly warmUpMs: number;
  readonly inTurnRequests: number;
  readonly largeBodiesMs: number;
  readonly openStreams: number;
  /** The sizes of bodies, without a limit of their own, are for the full run. */
  readonly sizes: boolean;
}

export interface Context {
  readonly load: Load;
  readonly mockPort: number;
  readonly scale: Scale;
  /** Those that could be started, in the order in which they take turns. */
  readonly subjects: readonly Subject[];
  /** Null until there is a gateway to start, or when it could not be started. */
  readonly omnix: Omnix | null;
  /** Progress, for the person who waits. */
  say(line: string): void;
}

/** Figures of one subject that stand beside the verdicts. */
export interface Fact {
  readonly figure: string;
  readonly subject: SubjectName | 'upstream alone';
  readonly value: string;
}

export interface SectionResult {
  readonly rows: readonly Row[];
  readonly facts: readonly Fact[];
}

export type Section = (context: Context) => Promise<SectionResult>;

/** `{"status 500": 3}` as text, for the progress lines: the report itself only counts failures. */
export function describeFailures(result: LoadResult): string {
  return result.lanes
    .flatMap((lane) => Object.entries(lane.failures))
    .map(([reason, count]) => `${count} x ${reason}`)
    .join(', ');
}
