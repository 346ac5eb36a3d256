/**
 * What a program that a test starts has of this process's environment: where programs lie, and where Node keeps what it
 * compiled (test/run.ts). Nothing else, so that no setting of the machine changes what a test sees.
 */
export const INHERITED: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);
