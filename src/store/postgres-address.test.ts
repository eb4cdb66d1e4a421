/** Addresses of databases as URLs, both ways. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readDatabaseUrl, toDatabaseUrl } from './postgres-address.ts';

describe('readDatabaseUrl', () => {
  it('reads back every address of a unix socket', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' });
    const address = fc.record({
      host: fc.string().map((text) => `/tmp/${text}`),
      port: fc.integer({ min: 1, max: 65_535 }),
      user: name,
      password: name,
      database: name,
    });
    fc.assert(
      fc.property(address, (at) => {
        expect(readDatabaseUrl(toDatabaseUrl(at))).toEqual(at);
      }),
    );
  });

  it('leaves other URLs alone but for the parameters of other clients', () => {
    expect(readDatabaseUrl('postgres://u:p@h/d')).toBe('postgres://u:p@h/d');
    expect(
      readDatabaseUrl(
        'postgresql://u:p@h:1,i:2/d?sslmode=require&channel_binding=require&pgbouncer=true',
      ),
    ).toBe('postgresql://u:p@h:1,i:2/d?sslmode=require');
    expect(readDatabaseUrl('postgres://u:p@h/d?channel_binding=require')).toBe(
      'postgres://u:p@h/d',
    );
  });

  it('refuses another scheme, without repeating it', () => {
    expect(() => readDatabaseUrl('mysql://u:canary@h/d')).toThrow(/^(?!.*canary).*postgres:\/\//);
  });
});
