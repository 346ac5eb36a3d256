import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate for 127.0.0.1, localhost and *.s3.test that vouches for itself: its own CA file. */
export interface ServerCertificate {
  /** Path of the PEM certificate, for the server and as the clients' CA. */
  readonly cert: string;
  /** Path of its PEM key. */
  readonly key: string;
  remove(): Promise<void>;
}

const NAMES = 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:s3.test,DNS:*.s3.test';

export async function makeCertificate(): Promise<ServerCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-certificate-'));
  const cert = join(folder, 'server.crt');
  const key = join(folder, 'server.key');
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=localhost', '-addext', NAMES];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', ...algorithm, '-days', '2', ...subject],
    ...['-keyout', key, '-out', cert],
  ]);
  return { cert, key, remove: () => rm(folder, { recursive: true, force: true }) };
}
