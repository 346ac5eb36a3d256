import { spawn } from 'node:child_process';
import { tool } from '../test/support/tools.ts';
import { asCurlConfig, signRequest } from './signed-requests.ts';
import type { Target } from './targets.ts';
import type { Method } from './work.ts';

/** curl's exit code when --max-time ends it. */
const OUT_OF_TIME = 28;

export interface Crowd {
  readonly method: Method;
  readonly lanes: number;
  /** Where lane number `lane` goes. */
  readonly keyOf: (lane: number) => string;
  /** What is sent, for PUT. */
  readonly file: string;
  readonly objectBytes: number;
  /**
   * Ends every transfer after so long, so that objects of 4 GiB need not pass whole by the hundred: memory is a matter
   * of the flow. undefined: every transfer must end by itself, whole.
   */
  readonly seconds: number | undefined;
}

/** Transfers in parallel, a curl each; returns the bytes that passed. Throws when one failed. */
export async function transferAtOnce(target: Target, crowd: Crowd): Promise<number> {
  const transfers = Array.from({ length: crowd.lanes }, (_, lane) => transfer(target, crowd, lane));
  return (await Promise.all(transfers)).reduce((sum, bytes) => sum + bytes, 0);
}

async function transfer(target: Target, crowd: Crowd, lane: number): Promise<number> {
  const url = new URL(`/${target.bucket}/${crowd.keyOf(lane)}`, target.endpoint);
  const request = await signRequest(crowd.method, url, target.credentials);
  const args = ['-s', '-K', '-', '-o', '/dev/null', '-w', '%{http_code} %{size_upload} %{size_download}'];
  if (crowd.method === 'PUT') args.push('-H', 'Expect:', '-T', crowd.file);
  if (crowd.seconds !== undefined) args.push('--max-time', String(crowd.seconds));
  const child = spawn(tool('curl'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(asCurlConfig(request));
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const code = await ended;
  const [status, sent = 0, received = 0] = text.split(' ').map(Number);
  const bytes = crowd.method === 'PUT' ? sent : received;
  const whole = code === 0 && status === 200 && bytes === crowd.objectBytes;
  const cut = crowd.seconds !== undefined && code === OUT_OF_TIME && (status === 0 || status === 200 || status === 100);
  if (whole || cut) return bytes;
  throw new Error(`${crowd.method} ${url.href} through ${target.name}: curl ended with ${code}: ${text}`);
}
