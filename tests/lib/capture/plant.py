#!/usr/bin/env python3
"""plant.py DIR: a host's root with engine state in which every place that can hold a secret holds one: SECRET-1,
SECRET-2, … (printed: how many). What a capture keeps is called KEPT-…"""
import base64
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from capture import boltfile  # noqa: E402 pylint: disable=wrong-import-position

ROOT = sys.argv[1]
ID = 'c' * 64
planted = 0


def secret():
    global planted
    planted += 1
    return f'SECRET-{planted}'


def put(path, data):
    full = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode())


def env():
    return [f'PASSWORD={secret()}']


def spec():
    return {'process': {'args': ['run', 'KEPT-arg'], 'env': env()}, 'root': {'path': 'rootfs'},
            'annotations': {'a': 'KEPT-annotation', 'kubectl.kubernetes.io/last-applied-configuration': secret()},
            'hooks': {'prestart': [{'path': '/hook', 'env': env()}]}}


def any_of(url, value):
    value = json.dumps(value).encode()

    def field(n, data):
        size, out = len(data), b''
        while size > 0x7f:
            out, size = out + bytes([size & 0x7f | 0x80]), size >> 7
        return bytes([n << 3 | 2]) + out + bytes([size]) + data
    return field(1, url.encode()) + field(2, value)


def bucket(items):
    b = boltfile.Bucket()
    for k, v in items.items():
        b[k.encode()] = bucket(v) if isinstance(v, dict) else v if isinstance(v, bytes) else v.encode()
    return b


def put_bolt(path, items):
    """With a page behind the end that only a deleted record was on."""
    data = bytearray(boltfile.write(bucket(items)))
    put(path, bytes(data) + json.dumps({'env': env()}).encode().ljust(4096, b'\0'))


def put_sqlite(path, statements):
    full = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    db = sqlite3.connect(full)
    db.execute('PRAGMA secure_delete = OFF')
    for sql, *args in statements:
        db.execute(sql, args)
    db.execute('CREATE TABLE gone (text TEXT)')
    db.execute('INSERT INTO gone VALUES (?)', [secret() * 2000])
    db.execute('DROP TABLE gone')
    db.commit()
    db.close()


def docker():
    base = 'var/lib/docker'
    put(f'{base}/containers/{ID}/config.v2.json', {
        'ID': ID, 'Name': '/KEPT-docker', 'Config': {'Env': env(), 'Labels': {'tier': 'KEPT-label'}, 'Image': 'KEPT-image',
                                                     'Healthcheck': {'Test': ['CMD', secret()]}},
        'State': {'ExitCode': 7, 'Health': {'Log': [{'Output': secret()}]}, 'StartedAt': '2026-01-01T00:00:00Z',
                  'FinishedAt': '2026-01-01T00:00:01Z'},
        'SecretReferences': [{'SecretName': secret()}], 'Created': '2026-01-01T00:00:00Z'})
    put(f'{base}/containers/{ID}/hostconfig.json', {
        'NetworkMode': 'KEPT-network', 'LogConfig': {'Config': {'awslogs-credentials': secret()}}, 'SecurityOpt': [secret()],
        'Mounts': [{'VolumeOptions': {'DriverConfig': {'Options': {'o': 'password=' + secret()}}}}]})
    put(f'{base}/containers/{ID}/{ID}-json.log', secret())
    put(f'{base}/containers/{ID}/mounts/secrets/key', secret())
    put(f'{base}/image/overlay2/imagedb/content/sha256/{ID}', {
        'config': {'Env': env(), 'Labels': {'l': 'KEPT-image-label'}}, 'history': [{'created_by': 'ENV P=' + secret()}]})
    put(f'{base}/image/overlay2/layerdb/mounts/{ID}/mount-id', 'abc')
    put(f'{base}/overlay2/abc/link', 'KEPTLINK')
    put(f'{base}/overlay2/abc/diff/etc/shadow', secret())
    put(f'{base}/swarm/worker/tasks.db', secret())
    put('etc/docker/daemon.json', {'data-root': '/var/lib/docker', 'proxies': {'https-proxy': secret()}, 'log-opts': {'k': secret()}})
    put('root/.docker/config.json', {'auths': {'r': {'auth': secret()}}})


def podman():
    base = 'var/lib/containers/storage'
    config = {'id': ID, 'name': 'KEPT-podman', 'spec': spec(), 'labels': {'tier': 'KEPT-podman-label'}, 'secrets': [{'name': secret()}],
              'envSecrets': {'E': {'name': secret()}}, 'CreateCommand': ['podman', 'run', '-e', 'P=' + secret()],
              'healthcheck': {'Test': [secret()]}}
    put_bolt(f'{base}/libpod/bolt_state.db', {
        'all-ctrs': {ID: 'KEPT-podman'}, 'ctr': {ID: {'config': json.dumps(config), 'state': json.dumps({'state': 6, 'exitCode': 7})}},
        'vol': {'v': {'config': json.dumps({'name': 'v', 'options': {'o': 'password=' + secret()}})}}})
    put_sqlite(f'{base}/db.sql', [
        ('CREATE TABLE ContainerConfig (ID TEXT, Name TEXT, PodID TEXT, JSON TEXT)',),
        ('INSERT INTO ContainerConfig VALUES (?, ?, NULL, ?)', ID, 'KEPT-podman', json.dumps(config)),
        ('CREATE TABLE ContainerState (ID TEXT, State INTEGER, ExitCode INTEGER, JSON TEXT)',),
        ('INSERT INTO ContainerState VALUES (?, 6, 7, ?)', ID, json.dumps({'state': 6, 'exitCode': 7})),
        ('CREATE TABLE PodConfig (ID TEXT, Name TEXT, JSON TEXT)',),
        ('CREATE TABLE DBConfig (ID INTEGER, GraphRoot TEXT, RunRoot TEXT, TmpDir TEXT, StaticDir TEXT, VolumeDir TEXT, OS TEXT)',),
        ('CREATE TABLE VolumeConfig (Name TEXT, JSON TEXT)',),
        ('INSERT INTO VolumeConfig VALUES (?, ?)', 'v', json.dumps({'options': {'o': secret()}}))])
    put(f'{base}/secrets/filedriver/secretsdata.json', {'x': secret()})
    put(f'{base}/overlay-containers/{ID}/userdata/config.json', spec())
    put(f'{base}/overlay-containers/{ID}/userdata/ctr.log', secret())
    put(f'{base}/overlay-containers/{ID}/userdata/secrets/x', secret())
    put(f'{base}/overlay-containers/{ID}/userdata/buildah.json', {
        'type': 'buildah 0.0.1', 'container-name': 'KEPT-buildah', 'docker': {'config': {'Env': env()}}, 'build-args': {'A': secret()},
        'config': base64.b64encode(json.dumps({'config': {'Env': env(), 'Labels': {'a': 'b'}}}).encode()).decode()})
    put(f'{base}/overlay-containers/containers.json', [{'id': ID, 'names': ['KEPT-names'], 'metadata': json.dumps({'name': 'x', 'env': env()})}])
    put('run/containers/0/auth.json', {'auths': {'r': {'auth': secret()}}})
    put('root/.config/containers/auth.json', {'auths': {'r': {'auth': secret()}}})
    put('etc/containers/storage.conf', f'[storage]\ngraphroot = "/var/lib/containers/storage"\nx = "{secret()}"\n')


def containerd():
    base = 'var/lib/containerd'
    put_bolt(f'{base}/io.containerd.metadata.v1.bolt/meta.db', {'v1': {'k8s.io': {
        'containers': {ID: {
            'image': 'KEPT-ctr-image', 'spec': any_of('types.containerd.io/opencontainers/runtime-spec/1/Spec', spec()),
            'labels': {'l': 'KEPT-ctr-label'},
            'extensions': {'io.cri-containerd.container.metadata': any_of('t', {'Metadata': {
                'Name': 'KEPT-cri', 'Config': {'envs': [{'key': 'P', 'value': secret()}]}}})}}},
        'content': {'blob': {'sha256:1': {'labels': {'l': secret()}}}}}}})
    put('etc/containerd/config.toml', f'root = "/var/lib/containerd"\n[plugins.x.registry.auth]\npassword = "{secret()}"\n')
    put(f'var/log/pods/ns_pod_{ID}/c/0.log', secret())
    put(f'run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json', spec())
    put(f'run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/rootfs/etc/key', secret())


def runtimes():
    put('run/crun/x/status', {'pid': 1, 'bundle': '/KEPT-bundle'})
    put('run/crun/x/config.json', spec())
    put('run/runc/x/state.json', {'id': 'KEPT-runc', 'config': {'labels': ['bundle=/KEPT'], 'Hooks': {'prestart': [{'env': env()}]}}})
    put('run/runsc/x_sandbox:x.state', {'id': 'x', 'bundleDir': '/KEPT-runsc', 'sandbox': {'id': 'x'}, 'spec': spec()})


def machines():
    put('var/lib/lxc/web/config', f'lxc.uts.name = KEPT-lxc\nlxc.environment = P={secret()}\nlxc.hook.start = /x {secret()}\n')
    put('var/lib/lxc/web/rootfs/etc/shadow', secret())
    put('var/lib/lxd/storage-pools/default/containers/web/backup.yaml',
        f'container:\n  name: KEPT-lxd\n  config:\n    environment.P: {secret()}\n    user.user-data: |\n      #cloud-config\n'
        f'      password: {secret()}\n    volatile.x: KEPT-volatile\n    cloud-init.user-data: {secret()}\n')
    put_sqlite('var/lib/lxd/database/global/db.bin', [
        ('CREATE TABLE instances (id INTEGER, name TEXT)',), ('INSERT INTO instances VALUES (1, ?)', 'KEPT-instance'),
        ('CREATE TABLE instances_config (key TEXT, value TEXT)',),
        ('INSERT INTO instances_config VALUES (?, ?)', 'environment.P', secret()),
        ('INSERT INTO instances_config VALUES (?, ?)', 'user.user-data', secret()),
        ('INSERT INTO instances_config VALUES (?, ?)', 'volatile.last_state.power', 'KEPT-power'),
        ('CREATE TABLE config (key TEXT, value TEXT)',), ('INSERT INTO config VALUES (?, ?)', 'core.trust_password', secret())])
    put('var/lib/lxd/server.key', secret())
    put('etc/systemd/nspawn/m.nspawn', f'[Exec]\nHostname=KEPT-nspawn\nEnvironment=P={secret()}\n')
    put('var/lib/machines/m/etc/machine-id', secret())
    put('etc/vz/conf/101.conf', f'HOSTNAME="KEPT-vz"\nUSERPW="root:{secret()}"\n')
    put('vz/private/101/etc/shadow', secret())
    put('var/lib/rkt/pods/run/u/pod', {'acKind': 'PodManifest', 'apps': [{'name': 'KEPT-rkt', 'app': {'environment': [{'name': 'P', 'value': secret()}]}}]})


def users():
    put('etc/passwd', f'root:{secret()}:0:0::/root:/bin/sh\nkeep:x:1000:1000:{secret()}:/home/keep:/bin/sh\nother:x:1001:1001::/home/{secret()}:/bin/sh\n')
    put('etc/shadow', secret())
    put('home/keep/.apptainer/instances/app/host/keep/KEPT-apptainer/KEPT-apptainer.json', {
        'pid': 1, 'name': 'KEPT-apptainer', 'image': '/KEPT.sif', 'config': base64.b64encode(json.dumps({
            'engineConfig': {
                'ociConfig': {'process': {'args': ['KEPT-start'], 'env': env()}},
                'jsonConfig': {'image': '/KEPT.sif', 'apptainerEnv': {'DSN': secret()}, 'encryptionKey': secret(), 'cwd': secret(),
                               'bindpath': [{'source': '/KEPT-bind', 'destination': '/d', 'options': {'ro': {'Value': ''}}}]},
                'fileConfig': {'BinaryPath': secret()}}}).encode()).decode()})
    put('home/keep/.apptainer/docker-config.json', {'auths': {'r': {'auth': secret()}}})
    put('home/keep/.bash_history', secret())


def odd():
    """What a file of state may be on a hostile disk."""
    put('secret-file', secret())
    os.makedirs(f'{ROOT}/run/runc/link', exist_ok=True)
    os.symlink('/secret-file', f'{ROOT}/run/runc/link/state.json')
    os.makedirs(f'{ROOT}/run/runc/fifo', exist_ok=True)
    os.mkfifo(f'{ROOT}/run/runc/fifo/state.json')
    os.makedirs(f'{ROOT}/home/keep/.local/share/containers', exist_ok=True)
    os.symlink('/var/lib/containers/storage', f'{ROOT}/home/keep/.local/share/containers/storage')
    os.symlink('/run', f'{ROOT}/var/run')
    put('run/runc/torn/state.json', '{"env": ["' + secret())


for plant in (docker, podman, containerd, runtimes, machines, users, odd):
    plant()
print(planted)
