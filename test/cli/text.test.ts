import { describe, expect, it } from 'vitest';
import { hexLine } from '../../src/cli/quickstart/quickstart-welcome.ts';
import { UsageError } from '../../src/cli/shell/command.ts';
import { printable, textTable } from '../../src/cli/shell/text-table.ts';
import { describePolicy, readPolicies } from '../../src/cli/tenant/bucket-option.ts';
import { bucketPolicy } from '../../src/tenants/bucket-policy.ts';

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
  it('reads patterns and policies, and shows them as they were written', () => {
    const options = ['acme-*', 'old:mixed:location=warn', 'plain:protection=none,parts:quantum=2,sync:etag=md5'];
    const policies = readPolicies(options).map(bucketPolicy);
    expect(policies.map(describePolicy)).toEqual(options.join(',').split(','));
    expect(policies[1]).toMatchObject({ mixed: true, location: 'warn', metadata: 'enforce', protection: 'seal' });
    expect(policies[2]).toMatchObject({ protection: 'none' });
  });
  it.each([
    ['acme:mixd', 'Did you mean mixed?'],
    ['acme:protection=some', 'Did you mean protection=none?'],
    ['acme:constructor', 'is no policy'],
    [':mixed', 'the pattern is missing'],
  ])('refuses %s', (option, message) => {
    expect(() => readPolicies([option])).toThrow(UsageError);
    expect(() => readPolicies([option])).toThrow(message);
  });
});
