import { describe, expect, it } from 'vitest';
import { type ProxyFields, plainAddress, TrustedProxies } from '../../src/server/trusted-proxies.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { WireClient } from '../../src/wire/message.ts';
import { answer, Listening } from './listening.ts';

const NETWORKS = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8'];

function behind(
  fields: [string, string][],
  options: { readonly peer?: string; readonly secure?: boolean; readonly say?: ProxyFields } = {},
): WireClient {
  const { peer = '10.0.0.1', secure = false, say } = options;
  return new TrustedProxies(NETWORKS, say).clientBehind({ address: peer, secure }, HeaderList.of(fields));
}

const FOR = 'X-Forwarded-For';
const PROTO = 'X-Forwarded-Proto';

interface Case {
  readonly what: string;
  readonly fields: [string, string][];
  readonly client: string;
  readonly hidden?: true;
  readonly secure: boolean;
}

describe('the client behind trusted proxies', () => {
  it.each<Case>([
    { what: 'nothing said', fields: [], client: '10.0.0.1', secure: false },
    { what: 'one proxy', fields: [[FOR, '203.0.113.9']], client: '203.0.113.9', secure: false },
    {
      what: 'a client that forges what proxies say',
      fields: [
        [FOR, '198.51.100.1, 10.9.9.9, 203.0.113.9'],
        [PROTO, 'https'],
      ],
      client: '203.0.113.9',
      secure: true,
    },
    {
      what: 'forged in a field of its own',
      fields: [
        [FOR, '198.51.100.1'],
        [FOR, '203.0.113.9'],
      ],
      client: '203.0.113.9',
      secure: false,
    },
    {
      what: 'a chain of proxies, the outer one with TLS',
      fields: [
        [FOR, '203.0.113.9, 192.0.2.1, 10.0.0.7'],
        [PROTO, 'https, http, http'],
      ],
      client: '203.0.113.9',
      secure: true,
    },
    {
      what: 'a forged scheme before those of the proxies',
      fields: [
        [FOR, '203.0.113.9'],
        [PROTO, 'https, http'],
      ],
      client: '203.0.113.9',
      secure: false,
    },
    { what: 'a client within the trusted networks', fields: [[FOR, '10.1.1.1']], client: '10.1.1.1', secure: false },
    { what: 'a port', fields: [[FOR, '203.0.113.9:1234']], client: '203.0.113.9', secure: false },
    { what: 'IPv6 and a port', fields: [[FOR, '[2001:DB8::9]:1234']], client: '2001:db8::9', secure: false },
    {
      what: 'IPv6 through a proxy of IPv6',
      fields: [[FOR, '2001:db8::9, fd00::1']],
      client: '2001:db8::9',
      secure: false,
    },
    { what: 'IPv4 as IPv6', fields: [[FOR, '::ffff:203.0.113.9']], client: '203.0.113.9', secure: false },
    { what: 'no address', fields: [[FOR, '198.51.100.1, unknown']], client: '10.0.0.1', hidden: true, secure: false },
    { what: 'an empty one', fields: [[FOR, '198.51.100.1,']], client: '10.0.0.1', hidden: true, secure: false },
    { what: 'a name', fields: [[FOR, 'localhost']], client: '10.0.0.1', hidden: true, secure: false },
    { what: 'a scheme alone', fields: [[PROTO, 'HTTPS']], client: '10.0.0.1', hidden: true, secure: true },
    { what: 'Forwarded', fields: [['Forwarded', 'for=203.0.113.9;proto=https']], client: '10.0.0.1', secure: false },
  ])('$what', ({ fields, client, hidden, secure }) => {
    expect(behind(fields)).toEqual({ address: client, hidden, secure });
  });

  it.each<Case>([
    { what: 'one proxy', fields: [['Forwarded', 'for=203.0.113.9;proto=https']], client: '203.0.113.9', secure: true },
    {
      what: 'IPv6, a port, other names in any case',
      fields: [['Forwarded', 'By=_x; Host="a,b;c\\"d" ;FOR="[2001:db8::9]:47";Proto=HTTPS']],
      client: '2001:db8::9',
      secure: true,
    },
    {
      what: 'a chain',
      fields: [
        ['Forwarded', 'for=198.51.100.1, for=203.0.113.9;proto=https'],
        ['Forwarded', 'for="10.0.0.7:80";proto=http'],
      ],
      client: '203.0.113.9',
      secure: true,
    },
    {
      what: 'hidden',
      fields: [['Forwarded', 'for=1.1.1.1, for=_hidden']],
      client: '10.0.0.1',
      hidden: true,
      secure: false,
    },
    {
      what: 'a quote that never ends',
      fields: [['Forwarded', 'for=" , for=1.1.1.1']],
      client: '10.0.0.1',
      hidden: true,
      secure: false,
    },
    {
      what: 'what a client wrote before the proxy did, and which makes the rest unreadable',
      fields: [
        ['Forwarded', 'for="'],
        ['Forwarded', 'for=203.0.113.9'],
      ],
      client: '10.0.0.1',
      hidden: true,
      secure: false,
    },
    { what: 'X-Forwarded-For', fields: [[FOR, '1.1.1.1']], client: '10.0.0.1', secure: false },
  ])('by Forwarded: $what', ({ fields, client, hidden, secure }) => {
    expect(behind(fields, { say: 'forwarded' })).toEqual({ address: client, hidden, secure });
  });

  it('keeps the scheme of the connection where the proxy says none', () => {
    expect(behind([[FOR, '203.0.113.9']], { secure: true })).toEqual({ address: '203.0.113.9', secure: true });
  });

  // Steps that grow with the square of the length would take longer than a test may.
  it.each([
    ['escaped quotes', `for="${'\\"'.repeat(1_000_000)}`],
    ['quotes', 'for="a'.repeat(500_001)],
    ['blanks', `for=a${' '.repeat(2_000_000)}x`],
  ])('reads a long malformed Forwarded: %s', (_what, value) => {
    expect(behind([['Forwarded', value]], { say: 'forwarded' }).address).toBe('10.0.0.1');
  });

  it('spells addresses in one way', () => {
    expect(['::FFFF:10.0.0.1', 'fe80::1%eth0', '[::1]', '1.2.3.4:5'].map(plainAddress)).toEqual([
      '10.0.0.1',
      'fe80::1',
      '::1',
      '1.2.3.4',
    ]);
    expect(['', 'x', '1.2.3', '[1.2.3.4', '1.2.3.4:', '999.1.1.1', ':1'].map(plainAddress)).toEqual(
      Array(7).fill(undefined),
    );
  });
});

describe('the listener', () => {
  async function clientSeen(networks: readonly string[], fields: string): Promise<WireClient | undefined> {
    let seen: WireClient | undefined;
    const handle = async ({ client }: { readonly client: WireClient }) => {
      seen = client;
      return answer(200, 'ok');
    };
    await using server = await Listening.start(handle, { proxies: new TrustedProxies(networks) });
    await using client = await server.open();
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).until('ok');
    return seen;
  }

  const forged = `${FOR}: 203.0.113.9\r\n${PROTO}: https\r\n`;

  it('believes nobody by default', async () => {
    expect(await clientSeen([], forged)).toEqual({ address: '127.0.0.1', secure: false });
  });

  it('believes no proxy that is not trusted', async () => {
    expect(await clientSeen(['10.0.0.0/8'], forged)).toEqual({ address: '127.0.0.1', secure: false });
  });

  it('believes one that is', async () => {
    expect(await clientSeen(['127.0.0.0/8'], forged)).toEqual({ address: '203.0.113.9', secure: true });
  });
});
