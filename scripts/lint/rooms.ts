/**
 * Turns the floor plan into overrides of oxlint's `no-restricted-imports`: an override per room and
 * kind of file.
 */
import type { OxlintOverride } from 'oxlint';
import {
  OUTSIDE,
  PACKAGES,
  type PackagePlace,
  ROOM_NAMES,
  ROOMS,
  type RoomName,
  TEST_FILES,
} from '../../src/floorplan.ts';

interface ImportPattern {
  readonly group?: string[];
  readonly regex?: string;
  readonly message: string;
}

/**
 * `code` runs on any runtime; `*.node.ts` and `*.worker.ts` are adapters to one. A `z.ts` has its
 * own list of packages.
 */
type FileKind = 'code' | PackagePlace['only'] | 'test';

const NO_NODE: readonly ImportPattern[] = [
  { regex: '^node:', message: 'Node is for *.node.ts adapters, tests and the root files.' },
  {
    regex: '\\.(node|worker)\\.ts$',
    message: 'Only the root files and other files of its kind see an adapter.',
  },
];

const NO_OUTSIDE: ImportPattern = {
  regex: `^#(${OUTSIDE.folders.join('|')})/|^#[^/]+$`,
  message: 'No room imports the root files, cli or testing: declare an option type or a port.',
};

/** The overrides of all rooms, in an order in which the later and more particular ones win. */
export function roomOverrides(): OxlintOverride[] {
  return ROOM_NAMES.flatMap((room) => [
    override(room, 'code', ['**']),
    override(room, '.node.ts', ['**/*.node.ts']),
    override(room, '.worker.ts', ['**/*.worker.ts']),
    override(room, 'z.ts', ['z.ts']),
    override(room, 'test', [...TEST_FILES]),
  ]);
}

/** Production code outside the rooms imports anything but `src/testing`. */
export function outsideOverride(): OxlintOverride {
  const folders = OUTSIDE.folders.filter((folder) => folder !== 'testing');
  const patterns = [{ regex: '^#testing/', message: 'src/testing is not production code.' }];
  return {
    files: ['src/*.ts', ...folders.map((folder) => `src/${folder}/**`)],
    excludeFiles: [...TEST_FILES],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

function override(room: RoomName, kind: FileKind, globs: readonly string[]): OxlintOverride {
  const patterns = [...roomPatterns(room)];
  if (kind !== 'test') patterns.push(NO_OUTSIDE, ...packagePatterns(room, kind));
  if (kind === 'code' || kind === 'z.ts') patterns.push(...NO_NODE);
  return {
    files: globs.map((glob) => `src/${room}/${glob}`),
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

function roomPatterns(room: RoomName): ImportPattern[] {
  const { mayImport, onlyFiles = {} } = ROOMS[room];
  const allowed = mayImport.length === 0 ? 'nothing of src' : mayImport.join(', ');
  const forbidden = ROOM_NAMES.filter((other) => other !== room && !mayImport.includes(other));
  const patterns: ImportPattern[] = [
    {
      regex: `^#(${forbidden.join('|')})/`,
      message: `The floor plan lets ${room} import ${allowed} (src/floorplan.ts).`,
    },
  ];
  for (const [other, files] of Object.entries(onlyFiles)) {
    patterns.push({
      group: [`#${other}/**`, ...files.map((file) => `!#${other}/${file}`)],
      message: `${room} may import only ${files.join(' and ')} of ${other}.`,
    });
  }
  return patterns;
}

function packagePatterns(room: RoomName, kind: FileKind): ImportPattern[] {
  const allows = (place: PackagePlace): boolean =>
    place.room === room && (place.only === undefined || place.only === kind);
  return Object.entries(PACKAGES)
    .filter(([, places]) => !places.some(allows))
    .map(([name, places]) => ({
      group: [name, `${name}/**`],
      message: `${name} is for ${describePlaces(places)}.`,
    }));
}

function describePlaces(places: readonly PackagePlace[]): string {
  const rooms = places.map(({ room, only }) => `${room}${only === undefined ? '' : ` (*${only})`}`);
  return [...rooms, 'the root files', 'tests'].join(', ');
}
