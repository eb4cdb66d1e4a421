/** CPU time is read from the right fields and counted for the whole tree, once. */
import { describe, expect, it } from 'vitest';

import type { ProcessStat } from './cpu.ts';
import { parseStat, readAllProcesses, sumCpuSeconds, treeOf } from './cpu.ts';

function stat(pid: number, parent: number, cpuSeconds: number): ProcessStat {
  return { pid, name: 'node', parent, cpuSeconds };
}

describe('a line of /proc/<pid>/stat', () => {
  it('is read even when the name holds spaces and parentheses', () => {
    const line = '42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 20 30 20 0 11 0 99 1 2';
    expect(parseStat(line)).toEqual({ pid: 42, name: 'a) b (c', parent: 7, cpuSeconds: 2.5 });
  });

  it('is refused when it is something else', () => {
    expect(parseStat('')).toBe(null);
  });
});

describe('a process tree', () => {
  it('holds every descendant once and no stranger', () => {
    const processes = [stat(4, 3, 8), stat(1, 0, 100), stat(2, 1, 1), stat(3, 2, 2), stat(5, 2, 4)];
    const tree = treeOf(2, processes);
    expect(tree.map((found) => found.pid).toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5]);
    expect(sumCpuSeconds(tree)).toBe(15);
    expect(treeOf(99, processes)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('of this machine holds this process', () => {
    const own = treeOf(process.pid, readAllProcesses());
    expect(own[0]?.pid).toBe(process.pid);
    expect(own[0]?.parent).toBe(process.ppid);
  });
});
