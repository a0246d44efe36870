"""Which files are taken, and how. Nothing that is not named here leaves a host.

A rule is (pattern, kind): pattern's parts are shell patterns of names, below the host's root. `home` stands for every
user's home directory. Kinds: a function of (bytes) -> bytes; or
    text    as it is                        link   a symbolic link, as it is
    empty   an empty file of that name      dir    an empty directory of that name
    bolt, sqlite   written anew
"""
from . import redact

TEXT, LINK, EMPTY, DIR = 'text', 'link', 'empty', 'dir'
JSON = redact.clean_json
BOLT = redact.bolt()
CONTAINERD_BOLT = redact.bolt(redact.containerd_wanted)
LXC = redact.without_lines(rb'lxc\.(environment|hook)')
YAML = redact.without_lines(rb'"?(environment|user|cloud-init|vendor-data|meta-data)\.|environment:|.*(passw|token|secret)')
STORAGE_CONF = redact.lines(rb'\s*(\[storage|(driver|graphroot|runroot|rootless_storage_path|mount_program|imagestore)\s*=)')
CONTAINERD_CONF = redact.lines(rb'(version|root|state|imports)\s*=')
OPENVZ_CONF = redact.lines(rb'\s*(VE_ROOT|VE_PRIVATE|VE_LAYOUT|OSTEMPLATE|ORIGIN_SAMPLE|HOSTNAME|NAME|NETIF|IP_ADDRESS|VEID|UUID|ONBOOT|DISABLED)=')
NSPAWN_CONF = redact.without_lines(rb'(?i)(environment|setcredential|loadcredential)')
SYSTEMD_STATE = redact.lines(rb'[A-Z_]+=')


def below(base, rules):
    return [(f'{base}/{pattern}', kind) for pattern, kind in rules]


def each(pattern, names, kind):
    return [(f'{pattern}/{name}', kind) for name in names]


TASK = each('io.containerd.runtime.v2.task/*/*', ['init.pid', 'runtime', 'shim-binary-path'], TEXT) + \
    each('io.containerd.runtime.v2.task/*/*', ['config.json', 'options.json', 'bootstrap.json'], JSON) + \
    [('io.containerd.runtime.v2.task/*/*/rootfs', DIR)]
CONTAINERD = [
    ('io.containerd.metadata.v1.bolt/meta.db', CONTAINERD_BOLT),
    ('io.containerd.snapshotter.v1.*/metadata.db', BOLT),
    ('io.containerd.snapshotter.v1.*/snapshots/*/fs', DIR),
    ('io.containerd.snapshotter.v1.*/snapshots/*/work', DIR),
    ('io.containerd.runtime.v2.task/*/*', DIR),
    ('io.containerd.grpc.v1.cri/containers/*/status', JSON),
    ('io.containerd.grpc.v1.cri/sandboxes/*', DIR),
]
DOCKER = each('containers/*', ['config.v2.json'], JSON) + [
    ('containers/*/hostconfig.json', redact.only(redact.HOSTCONFIG)),
    ('containers/*/*-json.log', EMPTY),
    ('image/*/repositories.json', JSON),
    ('image/*/imagedb/content/sha256/*', JSON),
    ('overlay2/l/*', LINK),
    ('vfs/dir/*', DIR),
    ('rootfs/*/*', DIR),
    ('volumes/*/_data', DIR),
] + each('image/*/layerdb/mounts/*', ['mount-id', 'init-id', 'parent'], TEXT) + \
    each('image/*/layerdb/sha256/*', ['cache-id', 'parent', 'diff', 'size'], TEXT) + \
    each('overlay2/*', ['link', 'lower', 'committed'], TEXT) + each('overlay2/*', ['diff', 'work'], DIR) + \
    below('containerd/daemon', CONTAINERD)
RUNTIME = each('*', ['state.json', 'status', 'config.json', 'youki_config.json'], JSON) + [('*/exec.fifo', EMPTY), ('*/notify.sock', EMPTY),
                                                                           ('*.state', JSON)]
GRAPH = [('libpod/bolt_state.db', BOLT), ('db.sql', ('sqlite', None)), ('volumes/*/_data', DIR), ('overlay/l/*', LINK),
         ('vfs/dir/*', DIR), ('*-images/images.json', JSON), ('storage.lock', EMPTY)] + \
    each('*-containers', ['containers.json', 'volatile-containers.json'], JSON) + \
    each('*-containers/*/userdata', ['config.json', 'state.json', 'buildah.json'], JSON) + \
    [('*-containers/*/userdata/ctr.log', EMPTY)] + \
    each('*-layers', ['layers.json', 'volatile-layers.json'], JSON) + \
    each('overlay/*', ['link', 'lower', 'lower-layers'], TEXT) + each('overlay/*', ['diff', 'work'], DIR)
GRAPH_RUN = each('*-containers/*/userdata', ['pidfile', 'conmon.pid'], TEXT) + \
    each('*-containers/*/userdata', ['config.json', 'state.json'], JSON)
LXD = [('containers/*', LINK), ('containers-snapshots/*', LINK), ('logs/*/lxc.conf', LXC), ('run/*/lxc.conf', LXC),
       ('database/global/db.bin', ('sqlite', ['instances', 'instances_config', 'projects', 'nodes', 'images', 'images_aliases']))]
for containers in ('containers', 'containers-snapshots'):
    LXD += [(f'storage-pools/*/{containers}/*/{name}', YAML) for name in ('backup.yaml', 'metadata.yaml')] + \
        [(f'storage-pools/*/{containers}/*/rootfs', DIR)]
USER = below('.local/share/containers/storage', GRAPH) + [('.config/containers/storage.conf', STORAGE_CONF)] + \
    each('.apptainer/instances/app/*/*/*', ['*.json'], redact.apptainer) + each('.singularity/instances/sing/*/*/*', ['*.json'], redact.apptainer) + \
    each('.local/share/lxc/*', ['config'], LXC) + [('.local/share/lxc/*/rootfs', DIR)]
RUN = below('docker/containerd/daemon', TASK) + below('containerd', TASK) + below('docker/runtime-*/moby', RUNTIME) + \
    below('containerd/runc/*', RUNTIME) + below('containerd/runsc/*', RUNTIME) + below('runc', RUNTIME) + below('crun', RUNTIME) + \
    below('youki', RUNTIME) + below('runsc', RUNTIME) + below('containers/storage', GRAPH_RUN) + \
    [('libpod/exits/*', TEXT), ('crio/exits/*', TEXT), ('systemd/machines/*', SYSTEMD_STATE)] + \
    below('user/*/runc', RUNTIME) + below('user/*/crun', RUNTIME) + below('user/*/youki', RUNTIME) + \
    below('user/*/containers', GRAPH_RUN) + [('user/*/libpod/tmp/exits/*', TEXT)]
RKT = each('pods/*/*', ['pod', 'pid', 'ppid', 'created'], JSON) + each('pods/*/*/appsinfo/*', ['treeStoreID', 'manifest'], TEXT) + \
    each('pods/*/*/stage1/rootfs/rkt/status', ['*'], TEXT)

RULES = below('var/lib/docker', DOCKER) + below('var/lib/docker/[0-9]*.[0-9]*', DOCKER) + \
    below('var/lib/containerd', CONTAINERD) + below('var/lib/containers/storage', GRAPH) + below('run', RUN) + \
    below('home', USER) + below('var/lib/lxd', LXD) + below('var/lib/incus', LXD) + \
    below('var/snap/lxd/common/lxd', LXD) + below('var/lib/rkt', RKT) + [
        ('etc/docker/daemon.json', redact.only(redact.DAEMON)),
        ('etc/containers/storage.conf', STORAGE_CONF),
        ('usr/share/containers/storage.conf', STORAGE_CONF),
        ('etc/containerd/config.toml', CONTAINERD_CONF),
        ('etc/lxc/lxc.conf', redact.lines(rb'\s*lxc\.lxcpath')),
        ('var/lib/lxc/*/config', LXC),
        ('var/lib/lxc/*/lxc_snapshots', TEXT),
        ('var/lib/lxc/*/lxc_rdepends', TEXT),
        ('var/lib/lxc/*/rootfs', DIR),
        ('var/lib/lxc/*/overlay/*', DIR),
        ('var/lib/lxc/*/snaps/*/config', LXC),
        ('var/lib/lxc/*/snaps/*/ts', TEXT),
        ('var/lib/lxc/*/snaps/*/rootfs', DIR),
        ('var/lib/machines/*', DIR),
        ('var/lib/machines/.#*', DIR),
        ('var/lib/machines/*.raw', EMPTY),
        ('var/lib/machines/.#*.lck', EMPTY),
        ('etc/systemd/nspawn/*.nspawn', NSPAWN_CONF),
        ('run/systemd/nspawn/*.nspawn', NSPAWN_CONF),
        ('etc/vz/vz.conf', redact.lines(rb'\s*(VE_ROOT|VE_PRIVATE|TEMPLATE|LOCKDIR)=')),
        ('etc/vz/conf/[0-9]*.conf', OPENVZ_CONF),
        ('vz/private/*', DIR),
        ('var/lib/vz/private/*', DIR),
        ('var/log/pods/*/*/*.log', EMPTY),
        ('var/run', LINK),
    ]
