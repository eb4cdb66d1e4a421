/** The report shows each figure under its subject, and says what is missing. */
import { describe, expect, it } from 'vitest';

import type { Report } from './report.ts';
import { toMarkdown } from './report.ts';

const REPORT: Report = {
  machine: 'a machine',
  startedAt: '2026-11-20T00:00:00Z',
  quick: true,
  rows: [],
  facts: [
    { figure: 'CPU', subject: 'portkey', value: '600 us' },
    { figure: 'CPU', subject: 'bare', value: '50 us' },
    { figure: 'memory', subject: 'bare', value: '80 MiB' },
  ],
  remarks: ['omnix: no entry'],
  seconds: 12.3,
};

describe('the report', () => {
  it('has a column per subject that was measured and a dash where one lacks a figure', () => {
    const lines = toMarkdown(REPORT).split('\n');
    expect(lines).toContain('| figure | bare proxy | Portkey 1.15.2 |');
    expect(lines).toContain('| CPU | 50 us | 600 us |');
    expect(lines).toContain('| memory | 80 MiB | - |');
  });

  it('does not hide that it is a quick run or that something was not measured', () => {
    expect(toMarkdown(REPORT)).toContain('quick run');
    expect(toMarkdown(REPORT)).toContain('## Not measured\n\n- omnix: no entry');
    expect(toMarkdown({ ...REPORT, remarks: [] })).not.toContain('Not measured');
  });
});
