import { describe, expect, it } from 'vitest';
import { hexLine } from '../../src/cli/quickstart/quickstart-welcome.ts';
import { UsageError } from '../../src/cli/shell/command.ts';
import { printable, textTable } from '../../src/cli/shell/text-table.ts';
import { BucketOptions } from '../../src/cli/tenant/bucket-option.ts';
import { bucketPolicy } from '../tenants/fixture.ts';

describe('textTable', () => {
  it('pads columns, and no line ends in blanks', () => {
    expect(
      textTable(
        ['A', 'LONG'],
        [
          ['wider', 'x'],
          ['y', ''],
        ],
      ),
    ).toBe('A      LONG\nwider  x\ny');
  });
  it('shows control characters instead of obeying them', () => {
    expect(printable('a\u001b[2Jb\n')).toBe('a\\x1b[2Jb\\x0a');
  });
});

describe('hexLine', () => {
  it('shows bytes as hex and as text', () => {
    expect(hexLine(Buffer.from('Hi\u0000'))).toMatch(/^48 69 00 +\|Hi\.\|$/);
  });
});

describe('--bucket', () => {
  const here = new BucketOptions();

  it('reads patterns and policies, and shows them as they were written', () => {
    const options = [
      ...['acme-*', 'old:mixed:location=warn', 'plain:protection=none,parts:quantum=2,sync:etag=md5'],
      'theirs:protection=inject:inject=customer',
    ];
    const policies = here.read(options).map(bucketPolicy);
    expect(policies.map((policy) => here.describe(policy))).toEqual(options.join(',').split(','));
    expect(policies[1]).toMatchObject({ mixed: true, location: 'warn', metadata: 'enforce', protection: 'seal' });
    expect(policies[2]).toMatchObject({ protection: 'none' });
  });
  it.each([
    ['acme:mixd', 'Did you mean mixed?'],
    ['acme:protection=some', 'Did you mean protection=none?'],
    ['acme:constructor', 'is no policy'],
    ['acme:protection=inject:inject=custom', 'Did you mean inject=customer?'],
    ['acme:inject=customer', 'add protection=inject'],
    ['acme:protection=none:inject=kms', 'add protection=inject'],
    [':mixed', 'the pattern is missing'],
  ])('refuses %s', (option, message) => {
    expect(() => here.read([option])).toThrow(UsageError);
    expect(() => here.read([option])).toThrow(message);
  });
});
