/** Tables of docs/translation.md that tests make, each between two comments that name it. */

/** `doc` with the table of that name replaced. Throws where the place for it is missing. */
export function replaceTable(doc: string, name: string, table: string): string {
  const begin = `<!-- made by a test: ${name} -->\n`;
  const end = `<!-- end: ${name} -->`;
  const from = doc.indexOf(begin);
  const to = doc.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/translation.md has no place for ${name}`);
  return `${doc.slice(0, from + begin.length)}\n${table}\n${doc.slice(to)}`;
}

/** A Markdown table. Bars in cells are escaped. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
