import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Secret } from '../secret.ts';
import type { ConfigProblem } from './forms/rules.ts';
import type { Settings } from './table.ts';

/** A certificate chain and its key, as PEM texts. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What is wrong with one of the two, in words that quote nothing of them. */
export interface CertificateProblem {
  readonly part: keyof CertificatePair;
  readonly problem: string;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Finds certificates and keys that cannot be used. Without this, the first TLS handshake or the start would fail with
 * an error that names no file.
 */
export function certificateProblems(settings: Settings): ConfigProblem[] {
  return [...pairsIn(settings, '')].flatMap(({ section, cert, key }) => {
    const found = certificateProblem({ cert, key });
    return found === undefined ? [] : [{ setting: `${section}.${found.part}`, problem: found.problem }];
  });
}

/** Yields every section that has a certificate and its key, by its dotted name. */
function* pairsIn(section: object, name: string): Generator<CertificatePair & { readonly section: string }> {
  const { cert, key } = section as { readonly cert?: unknown; readonly key?: unknown };
  if (typeof cert === 'string' && key instanceof Secret) yield { section: name, cert, key: key.reveal() };
  for (const [inner, value] of Object.entries(section)) {
    // Other values than sections are texts, numbers, lists, URLs and secrets.
    const isSection = value?.constructor === Object;
    if (isSection) yield* pairsIn(value, name === '' ? inner : `${name}.${inner}`);
  }
}

/** Returns why no TLS connection can be made with them; undefined if one can, even if the certificate has expired. */
export function certificateProblem({ cert, key }: CertificatePair): CertificateProblem | undefined {
  const chain = readChain(cert);
  if (typeof chain === 'number') {
    const which =
      chain === 0 ? 'holds no certificate that can be read' : `certificate ${chain} of its chain cannot be read`;
    return { part: 'cert', problem: which };
  }
  const privateKey = readKey(key);
  if (typeof privateKey === 'string') return { part: 'key', problem: privateKey };
  const [own] = chain as [X509Certificate];
  if (own.checkPrivateKey(privateKey)) return undefined;
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(privateKey));
  const problem =
    at === -1
      ? 'does not belong to the certificate: the two were not made together, or only one of them was renewed'
      : `belongs to certificate ${at + 1} of the chain; the gateway's own must come first`;
  return { part: 'key', problem };
}

const SOON_MILLISECONDS = 14 * 86_400_000;

/**
 * Returns what the operator should know about the validity of the chain's first certificate. The chain must be one that
 * can be read.
 */
export function certificateExpiry(cert: string, now: Date): string | undefined {
  const { validFromDate, validToDate } = (readChain(cert) as readonly [X509Certificate])[0];
  if (validFromDate > now) return `is valid from ${validFromDate.toISOString()} only`;
  if (validToDate < now) return `expired at ${validToDate.toISOString()}`;
  const soon = validToDate.getTime() - now.getTime() < SOON_MILLISECONDS;
  return soon ? `expires at ${validToDate.toISOString()}` : undefined;
}

/**
 * Returns the chain, or the position of the first certificate that cannot be read, from 1; 0 if there is no
 * certificate.
 */
function readChain(text: string): readonly X509Certificate[] | number {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 0;
  const chain: X509Certificate[] = [];
  for (const [at, block] of blocks.entries()) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return at + 1;
    }
  }
  return chain;
}

function readKey(text: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return 'is encrypted with a passphrase, and nobody could type it; decrypt it: openssl pkey -in FILE -out NEW';
  }
  try {
    return createPrivateKey(text);
  } catch {
    return 'holds no private key that can be read';
  }
}
