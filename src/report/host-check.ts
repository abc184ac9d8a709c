/**
 * Whom a page answers. A name of somebody else's that is made to lead to this machine (DNS rebinding) would let any web page read what
 * is served here; the browser tells that name in the Host header.
 */
import { isIP } from 'node:net';

/**
 * @param header the Host header of a request
 * @param listening what the server was told to listen on: beyond this machine, requests by address, and by that name, are answered too
 */
export function isOwnHost(header: string | undefined, listening: string): boolean {
  const name = hostName(header ?? '');
  if (name === undefined) return false;
  if (isLoopback(name)) return true;
  return !isLoopback(listening.toLowerCase()) && (isIP(name) !== 0 || name === listening.toLowerCase());
}

export const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));

/** Without its port and the brackets of an IPv6 address; undefined when it is malformed. */
function hostName(header: string): string | undefined {
  const [, six, name] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header) ?? [];
  return (six ?? name)?.toLowerCase();
}
