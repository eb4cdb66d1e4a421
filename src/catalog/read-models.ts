/**
 * Reads the table in which the derived facts are written: one line a model, a fifth of the same
 * data as objects, because every start and every bundle pays for its size.
 */
import {
  CAPABILITIES,
  MODALITIES,
  type Capability,
  type Modality,
  type ModelFacts,
  type RetiredModel,
} from './models.ts';

const CAPABILITY_BY_NAME = new Map<string, Capability>(CAPABILITIES.map((one) => [one, one]));
const MODALITY_BY_NAME = new Map<string, Modality>(MODALITIES.map((one) => [one, one]));
const MS_PER_SECOND = 1000;

/**
 * A line `# <lab>` names the lab of the lines below it. Every other line is a model of eight cells
 * between bars: id, name, ISO date of the release (`-`: not known), `<context>/<max output>` in
 * tokens (`-`: not known), `<inputs>><outputs>`, capabilities, aliases, and `until=<date>` and
 * `then=<successor>` where known. Throws on anything else: the table is data of ours.
 */
export function readModels(table: string): readonly ModelFacts[] {
  const models: ModelFacts[] = [];
  let lab: string | null = null;
  for (const line of table.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('# ')) lab = line.slice(2);
    else if (lab === null) throw new Error(`a model without a lab: ${line}`);
    else models.push(readModel(line, lab));
  }
  return models;
}

const CELLS = 8;

function readModel(line: string, lab: string): ModelFacts {
  const cells = line.split('|');
  if (cells.length !== CELLS) throw new Error(`not a model of eight cells: ${line}`);
  const cell = (at: number): string => cells[at] ?? '';
  const released = cell(2);
  const [context, maxOutput] = pair(cell(3), '/');
  const [input, output] = pair(cell(4), '>');
  return {
    id: cell(0),
    lab,
    name: cell(1),
    created: released === '-' ? 0 : Date.parse(released) / MS_PER_SECOND,
    context: tokens(context),
    maxOutput: tokens(maxOutput),
    input: words(input).map((word) => known(MODALITY_BY_NAME, word)),
    output: words(output).map((word) => known(MODALITY_BY_NAME, word)),
    capabilities: words(cell(5)).map((word) => known(CAPABILITY_BY_NAME, word)),
    ...readEnd(words(cell(7))),
    aliases: words(cell(6)),
  };
}

function pair(cell: string, between: string): readonly [string, string] {
  const [first = '', second = ''] = cell.split(between);
  return [first, second];
}

function readEnd(parts: readonly string[]): Pick<ModelFacts, 'shutdown' | 'successor'> {
  const found: { shutdown?: string; successor?: string } = {};
  for (const part of parts) {
    if (part.startsWith('until=')) found.shutdown = part.slice('until='.length);
    else if (part.startsWith('then=')) found.successor = part.slice('then='.length);
    else throw new Error(`not the end of a model: ${part}`);
  }
  return found;
}

function words(cell: string): readonly string[] {
  return cell === '' ? [] : cell.split(' ');
}

function tokens(text: string): number | null {
  return text === '-' ? null : Number(text);
}

function known<T>(names: ReadonlyMap<string, T>, word: string): T {
  const value = names.get(word);
  if (value === undefined) throw new Error(`not a word of the catalog: ${word}`);
  return value;
}

/** Lines `<id> <ISO date of the shutdown> [<successor>]`. */
export function readRetired(table: string): readonly RetiredModel[] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', shutdown = '', successor = null] = line.split(' ');
      return { id, shutdown, successor };
    });
}
