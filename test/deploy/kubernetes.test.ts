import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/settings/config.ts';
import { tool } from '../support/tools.ts';
import {
  byName,
  entries,
  list,
  type Manifest,
  manifestFiles,
  type Node,
  readManifests,
  valuesAt,
} from './manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealgate-manifests-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifests = readManifests();

function ofKind(kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

function named(kind: string, name: string): Node {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.name === name);
  expect(found, `${kind} ${name}`).toBeDefined();
  return found!.body;
}

const deployments = ofKind('Deployment').map(({ name, body }) => {
  const pod = body.spec!.template!.spec as Node;
  const containers = [...list(pod.initContainers), ...list(pod.containers)];
  const gateway = containers.find((container) => String(container.name) === 'sealgate') as Node;
  return { name, body, pod, containers, gateway, labels: body.spec!.template!.metadata!.labels as Node };
});

/** Kubernetes' own schemas; strict refuses fields that they do not know. */
function validate(files: readonly string[], version: string): string {
  return execFileSync(tool('kubernetes-validate'), ['--strict', '-k', version, ...files], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

describe('schemas', () => {
  test.each(['1.33', '1.37'])('all manifests are valid for Kubernetes %s', (version) => {
    const said = validate(manifestFiles(), version);
    for (const { kind, name } of manifests) {
      expect(said).toContain(`passed for resource ${kind.toLowerCase()}/${name} against version ${version}`);
    }
  });

  test('an unknown field is refused', () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {prots: [{port: 1}]}\n');
    const refused = expect.objectContaining({ stdout: expect.stringContaining('prots') });
    expect(() => validate([file], '1.37')).toThrow(refused);
  });

  test('there are the kinds that deploy/README.md promises', () => {
    const kinds = new Set(manifests.map(({ kind }) => kind));
    const promised = [
      'Namespace',
      'ConfigMap',
      'Secret',
      'Deployment',
      'Service',
      'NetworkPolicy',
      'PodDisruptionBudget',
    ];
    expect([...kinds]).toEqual(expect.arrayContaining(promised));
    expect(deployments.map(({ name }) => name).sort()).toEqual(['photos', 'sealgate']);
  });
});

describe.each(deployments)('Deployment $name', ({ body, pod, containers, gateway, labels }) => {
  const volumes = list(pod.volumes);
  const mountOf = (volume: string) => String(byName(gateway.volumeMounts, volume)?.mountPath);

  /** The configuration, where its arguments say it is mounted. */
  function configText(): string {
    const path = String(list(gateway.args).at(-1));
    const volume = volumes.find(
      (candidate) => candidate.configMap && path.startsWith(`${mountOf(String(candidate.name))}/`),
    );
    const data = named('ConfigMap', String(volume!.configMap!.name)).data as Node;
    return String(data[path.slice(mountOf(String(volume!.name)).length + 1)]);
  }

  function config() {
    const names = list(gateway.env).map((entry) => String(entry.name));
    const env = Object.fromEntries(
      names.map((name) => [name, name === 'REDIS_URL' ? 'redis://redis:6379' : 'x'.repeat(20)]),
    );
    const file = join(folder, 'sealgate.yaml');
    writeFileSync(file, configText());
    return loadConfig({ file, env, cwd: folder });
  }

  test('its configuration loads, and every variable in it is given', () => {
    expect(config().workers).toBe(1);
    const used = [...configText().matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]);
    expect(
      list(gateway.env)
        .map((entry) => String(entry.name))
        .sort(),
    ).toEqual(used.sort());
  });

  test('the root key is mounted where the configuration looks for it', () => {
    const { root } = config().keys;
    const secret = volumes.find((volume) => volume.secret)!;
    const { secretName, defaultMode } = secret.secret as Node;
    const files = Object.keys(named('Secret', String(secretName)).stringData as Node);
    expect(files.map((name) => `${mountOf(String(secret.name))}/${name}`)).toContain(root.kind === 'file' && root.path);
    // The pod's group may read it, nobody else.
    expect(defaultMode).toBe(0o440);
    expect(pod.securityContext!.fsGroup).toBe(pod.securityContext!.runAsGroup);
  });

  test('every secret, config map and volume that it names exists', () => {
    for (const reference of valuesAt(body, 'secretKeyRef')) {
      expect(named('Secret', String(reference.name)).stringData).toHaveProperty([String(reference.key)]);
    }
    for (const volume of volumes) if (volume.configMap) named('ConfigMap', String(volume.configMap.name));
    for (const container of containers) {
      for (const mount of list(container.volumeMounts)) {
        expect(volumes.map((volume) => volume.name)).toContain(mount.name);
      }
    }
    if (pod.serviceAccountName) named('ServiceAccount', String(pod.serviceAccountName));
  });

  test('probes go to the admin port of the configuration, readiness to /readyz and liveness to /healthz', () => {
    const { admin } = config();
    const port = byName(gateway.ports, 'admin');
    expect(port?.containerPort).toBe(admin?.port);
    // The kubelet comes from outside of the pod's loopback.
    expect(['127.0.0.1', '::1', 'localhost']).not.toContain(admin?.host);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(gateway[probe]!.httpGet!.port, probe).toBe('admin');
    }
    expect(gateway.readinessProbe!.httpGet!.path).toBe('/readyz');
    expect(gateway.livenessProbe!.httpGet!.path).toBe('/healthz');
    // It restarts as liveness does: not for a dependency that is away.
    expect(gateway.startupProbe!.httpGet!.path).toBe('/healthz');
  });

  test('no container may write its root file system, be root, or gain privileges', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.anything() },
        limits: { memory: expect.anything() },
      });
    }
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('a pod that ends has time for preStop and for the requests in flight', () => {
    const pause = Number(gateway.lifecycle?.preStop?.sleep?.seconds ?? 0);
    expect(Number(pod.terminationGracePeriodSeconds)).toBeGreaterThan(pause + config().limits.shutdownSeconds + 5);
  });

  test('Kubernetes sets no SEALGATE_ variables of its own, which are the prefix of the settings', () => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  test('a NetworkPolicy lets nobody but the monitoring reach the admin port', () => {
    const policies = ofKind('NetworkPolicy').map((policy) => policy.body.spec as Node);
    const selected = policies.filter(({ podSelector }) =>
      entries(podSelector!.matchLabels).every(([name, value]) => String(labels[name]) === String(value)),
    );
    expect(selected).toHaveLength(1);
    expect(selected[0]!.policyTypes).toContain('Ingress');
    const admin = config().admin!.port;
    const opening = list(selected[0]!.ingress).filter(
      ({ ports }) =>
        ports === undefined || list(ports).some(({ port }) => port === undefined || Number(port) === admin),
    );
    const monitoring = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];
    expect(opening.map(({ from }) => from)).toEqual([monitoring]);
  });

  test('the selector finds its own pods', () => {
    expect(labels).toMatchObject(body.spec!.selector!.matchLabels as Node);
  });
});

describe('stand-alone', () => {
  const standalone = deployments.find(({ name }) => name === 'sealgate')!;

  test('Service, NetworkPolicy and PodDisruptionBudget select the pods, in the same namespace', () => {
    expect(standalone.labels).toMatchObject(named('Service', 'sealgate').spec!.selector as Node);
    expect(standalone.labels).toMatchObject(named('NetworkPolicy', 'sealgate').spec!.podSelector!.matchLabels as Node);
    const budget = named('PodDisruptionBudget', 'sealgate').spec as Node;
    expect(standalone.labels).toMatchObject(budget.selector!.matchLabels as Node);
    // A budget that allows no pod to go would block every node's upgrade.
    expect(Number(standalone.body.spec!.replicas)).toBeGreaterThan(Number(budget.maxUnavailable));
    const namespaces = manifests.filter(({ kind }) => kind !== 'Namespace').map(({ body }) => body.metadata!.namespace);
    expect(new Set(namespaces)).toEqual(new Set([named('Namespace', 'sealgate').metadata!.name]));
  });

  test('the Service offers the clients’ port and not the admin port', () => {
    const ports = list(named('Service', 'sealgate').spec!.ports);
    expect(ports.map((port) => port.targetPort)).toEqual(['s3']);
    const s3 = byName(standalone.gateway.ports, 's3');
    const text = String(named('ConfigMap', 'sealgate').data!['sealgate.yaml']);
    expect(text).toContain(`listen: ":${s3?.containerPort}"`);
  });

  test('the NetworkPolicy opens the two ports, and lets the gateway reach backend, Redis and DNS', () => {
    const { ingress, egress } = named('NetworkPolicy', 'sealgate').spec as Node;
    const portsOf = (rules: Node) => list(rules).flatMap((rule) => list(rule.ports).map((port) => port.port));
    expect(portsOf(ingress!)).toEqual([8000, 8001]);
    const backend = /endpoint: (\S+)/.exec(String(named('ConfigMap', 'sealgate').data!['sealgate.yaml']))?.[1];
    expect(portsOf(egress!)).toEqual([53, 53, Number(new URL(backend!).port), 6379]);
  });
});

describe('sidecar', () => {
  const { gateway, containers } = deployments.find(({ name }) => name === 'photos')!;

  test('it starts before the application and ends after it', () => {
    expect(containers[0]).toBe(gateway);
    expect(gateway.restartPolicy).toBe('Always');
    // A restart mends no backend and no Redis.
    expect(gateway.startupProbe!.httpGet!.path).toBe('/healthz');
  });

  test('it has its tenant’s secrets, and none of the deployment’s', () => {
    const text = String(named('ConfigMap', 'sealgate-sidecar').data!['sealgate.yaml']);
    expect(text).toMatch(/^ {2}tenant: photos$/m);
    const deployment = deployments.find(({ name }) => name === 'photos')!.body;
    const secrets = [
      ...valuesAt(deployment, 'secretKeyRef').map(({ name }) => String(name)),
      ...valuesAt(deployment, 'secretName').map(String),
    ];
    expect(new Set(secrets)).toEqual(
      new Set([
        'photos-sealgate-backend',
        'photos-sealgate-credential',
        'photos-sealgate-redis',
        'photos-sealgate-wrap-key',
      ]),
    );
  });

  test('only its own pod reaches it, at the address that the application is given', () => {
    const text = String(named('ConfigMap', 'sealgate-sidecar').data!['sealgate.yaml']);
    const listen = /^listen: (127\.0\.0\.1:\d+)$/m.exec(text)?.[1];
    const application = containers.find((container) => container !== gateway)!;
    const endpoint = byName(application.env, 'AWS_ENDPOINT_URL_S3');
    expect(endpoint?.value).toBe(`http://${listen}`);
  });
});
