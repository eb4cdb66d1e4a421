/** What every step of writing a request shares: its target, what the model can, what was lost. */
import type { Target, Warning } from '#providers/provider.ts';
import type { MessagesHabits } from './habits.ts';
import { traitsOf, type ModelTraits } from './models.ts';

export type Block = Record<string, unknown>;

export interface EncodePlace {
  readonly target: Target;
  readonly traits: ModelTraits;
  readonly habits: MessagesHabits;
  readonly warnings: readonly Warning[];
  /** Tells the caller once, however often the same is met. */
  warn(code: Warning['code'], param: string, message: string): void;
}

export function encodePlace(target: Target, habits: MessagesHabits): EncodePlace {
  const warnings = new Map<string, Warning>();
  return {
    target,
    traits: traitsOf(target.model),
    habits,
    get warnings() {
      return [...warnings.values()];
    },
    warn(code, param, message) {
      warnings.set(`${param} ${message}`, { code, param, message });
    },
  };
}
