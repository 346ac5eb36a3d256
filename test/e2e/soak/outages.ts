import { setTimeout as delay } from 'node:timers/promises';
import { numbersOf } from '../../support/expected-objects.ts';
import type { GatewayProcess } from '../../support/servers/gateway.ts';
import type { SoakStand } from './stand.ts';

/** A pause is shorter than any timeout: what was sent into it may still happen when it is over. */
const PAUSE_MILLISECONDS = [200, 1_500] as const;

/**
 * How long after a broken connection the backend may still carry out what it was sent: whoever writes the key again
 * before that cannot know which of the two will be last.
 */
export const SETTLE_MILLISECONDS = 4_000;

/** Kills, orderly ends and pauses, one after the other, each kind once a round in an order of the seed's. */
export class Outages {
  /** Odd while one lasts: the same even number before and after means that nothing happened between. */
  epoch = 0;
  readonly done: Record<string, number> = {};
  /** Of gateways that were asked to end: anything but 0 is a finding. */
  readonly badEnds: string[] = [];
  readonly #stand: SoakStand;
  readonly #random: () => number;

  constructor(stand: SoakStand, seed: number) {
    this.#stand = stand;
    this.#random = numbersOf(seed * 77_777);
  }

  async until(end: number): Promise<void> {
    let round: [string, () => Promise<void>][] = [];
    while (Date.now() < end - 2_000) {
      if (round.length === 0) round = this.#round();
      const [name, act] = round.pop() as [string, () => Promise<void>];
      await delay(400 + this.#random() * 2_000);
      this.epoch++;
      await act();
      this.epoch++;
      this.done[name] = (this.done[name] ?? 0) + 1;
    }
  }

  #round(): [string, () => Promise<void>][] {
    const all = Object.entries(this.#kinds());
    const keyed = all.map((kind) => [this.#random(), kind] as const);
    return keyed.sort(([one], [other]) => one - other).map(([, kind]) => kind);
  }

  #kinds(): Record<string, () => Promise<void>> {
    const { minio, redis, doors } = this.#stand;
    const some = () => (this.#random() < 0.5 ? doors[0] : doors[1]).gateway;
    return {
      'gateway killed': () => restarted(some()),
      'gateway ended': () => this.#ended(some()),
      'gateway paused': () => this.#pause(paused(some())),
      'both gateways killed': async () => void (await Promise.all(doors.map(({ gateway }) => restarted(gateway)))),
      'MinIO killed': () => minio.restart(),
      'MinIO paused': () => this.#pause(minio),
      'Redis killed': async () => {
        await redis.kill();
        await delay(500);
        await redis.restart();
      },
      'Redis paused': () => this.#pause(redis),
      'MinIO paused, gateway killed': async () => {
        minio.freeze();
        await delay(200);
        const gateway = some();
        await gateway.kill();
        minio.thaw();
        await gateway.start();
      },
      'gateway and MinIO killed': async () => {
        const gateway = some();
        await Promise.all([gateway.kill(), minio.restart()]);
        await gateway.start();
      },
      'gateway and Redis killed': async () => {
        const gateway = some();
        await Promise.all([gateway.kill(), redis.kill()]);
        await redis.restart();
        await gateway.start();
      },
    };
  }

  async #ended(gateway: GatewayProcess): Promise<void> {
    const code = await gateway.terminate();
    if (code !== 0) this.badEnds.push(`a gateway that was asked to end ended with ${code}`);
    await gateway.start();
  }

  async #pause(what: { freeze(): void; thaw(): void }): Promise<void> {
    const [least, most] = PAUSE_MILLISECONDS;
    what.freeze();
    await delay(least + this.#random() * (most - least));
    what.thaw();
  }
}

async function restarted(gateway: GatewayProcess): Promise<void> {
  await gateway.kill();
  await gateway.start();
}

function paused(gateway: GatewayProcess): { freeze(): void; thaw(): void } {
  const pid = gateway.pid();
  return { freeze: () => process.kill(pid, 'SIGSTOP'), thaw: () => process.kill(pid, 'SIGCONT') };
}
