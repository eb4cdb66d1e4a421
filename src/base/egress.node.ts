/**
 * Which addresses are private, and which of them the operator allows all the same: what he writes
 * as an upstream's address must not lead into his own network by mistake.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { err, ok, type Result } from './result.ts';

const PRIVATE_IPV4: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  // Also where clouds answer with their machines' credentials (169.254.169.254).
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
];
const PRIVATE_IPV6: readonly (readonly [network: string, bits: number])[] = [
  ['::', 128],
  ['fc00::', 7],
  ['fe80::', 10],
];
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?$/i;
const BITS_MAX = { ipv4: 32, ipv6: 128 } as const;

function privateNetworks(): BlockList {
  const list = new BlockList();
  for (const [network, bits] of PRIVATE_IPV4) list.addSubnet(network, bits, 'ipv4');
  for (const [network, bits] of PRIVATE_IPV6) list.addSubnet(network, bits, 'ipv6');
  return list;
}

const PRIVATE = privateNetworks();

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isIn(list: BlockList, host: string): boolean {
  if (isIP(host) === 0) return false;
  // An IPv4 address in IPv6's clothes (::ffff:10.0.0.1) is compared as what it is.
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** This machine, by address or by the names that are kept for it (RFC 6761). */
export function isLoopback(host: string): boolean {
  return isIn(LOOPBACK, withoutBrackets(host)) || /(?:^|\.)localhost\.?$/i.test(host);
}

/** `host` as in `URL.hostname`; the brackets of IPv6 may be there. A name is never private. */
export function isPrivateAddress(host: string): boolean {
  return isIn(PRIVATE, withoutBrackets(host));
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

export interface EgressAllow {
  /** `host` as in `URL.hostname`. */
  allows(host: string): boolean;
}

/**
 * Reads hosts, addresses and networks, separated by commas. The error is the position, from 1, of
 * each entry that is none of them.
 */
export function parseEgressAllow(text: string): Result<EgressAllow, readonly number[]> {
  const list = new BlockList();
  const names = new Set<string>();
  const wrong: number[] = [];
  for (const [index, raw] of text.split(',').entries()) {
    const entry = withoutBrackets(raw.trim());
    if (entry === '' || addAddress(list, entry)) continue;
    // What has only digits and dots was meant as an address.
    if (HOST_NAME.test(entry) && !/^[\d.]+$/.test(entry)) names.add(entry.toLowerCase());
    else wrong.push(index + 1);
  }
  if (wrong.length > 0) return err(wrong);
  return ok({
    allows: (host) => {
      const bare = withoutBrackets(host);
      return isIn(list, bare) || names.has(bare.toLowerCase());
    },
  });
}

/** False: it is neither an address nor a network. */
function addAddress(list: BlockList, entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  if (rest.length > 0 || isIP(address) === 0) return false;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > BITS_MAX[family]) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}
