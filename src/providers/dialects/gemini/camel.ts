/**
 * Google's JSON takes every member's name in camel case and in snake case (protobuf's mapping), and
 * its Python clients mix both. What is read here is camel case.
 */
import { isRecord } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/** The record with its own members named in camel case; what they hold is left as it is. */
export function camelOf(value: unknown): JsonRecord {
  if (!isRecord(value)) return {};
  if (!Object.keys(value).some((key) => key.includes('_'))) return value;
  const named: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') continue;
    named[key.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())] = member;
  }
  return named;
}
