#!/usr/bin/python3
"""A small client of the Kubernetes container runtime interface (runtime.v1), as kubelet is one; messages encoded by hand.

cri-client.py SOCKET runp POD [--host] [--port HOST:INSIDE]   makes and starts a pod in namespace "shop"; prints its id
                     create PODID POD NAME IMAGE ATTEMPT COMMAND...   prints the container's id
                     start|stop|rm ID      of a container
                     stopp|rmp ID          of a pod
                     ps | pods             JSON: what the daemon lists
                     status ID             JSON: what it says of a container
                     clear                 stops and removes everything

Field numbers: k8s.io/cri-api pkg/apis/runtime/v1/api.proto. LOGS in the environment: the pods' log directory; CGROUP: their
cgroup's parent.
"""
import json
import os
import sys

import grpc

STATES = ['created', 'running', 'exited', 'unknown']


def varint(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def text(field, value):
    """A length-delimited field: a string or a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field, value):
    return varint(field << 3) + varint(value)


def mapping(field, values):
    return b''.join(text(field, text(1, k) + text(2, v)) for k, v in values.items())


def fields(data):
    """[(number, int or bytes)] of a message; fixed-width fields do not occur here."""
    out, at = [], 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = take()
        value = take()
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        out.append((tag >> 3, value))
    return out


def first(data, field, unset=b''):
    return next((v for k, v in fields(data) if k == field), unset)


def string(data, field):
    return first(data, field).decode()


def strings(data, field):
    return {string(v, 1): string(v, 2) for k, v in fields(data) if k == field}


def metadata_of_pod(pod):
    return text(1, pod) + text(2, 'uid-' + pod) + text(3, 'shop') + number(4, 2)


def pod_labels(pod):
    return {'io.kubernetes.pod.name': pod, 'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.pod.uid': 'uid-' + pod}


def pod_config(pod, host=False, port=None):
    message = text(1, metadata_of_pod(pod)) + text(2, '' if host else pod + '-host')
    message += text(3, f'{os.environ["LOGS"]}/shop_{pod}_uid-{pod}')
    if port:
        outside, inside = port.split(':')
        message += text(5, number(2, int(inside)) + number(3, int(outside)))
    message += mapping(6, {'app': pod, **pod_labels(pod)}) + mapping(7, {'note': 'a b'})
    network = number(1, 2) if host else b''
    return message + text(8, text(1, os.environ['CGROUP'] + '/pod-' + pod) + text(2, text(1, network)))


def container_config(pod, name, image, attempt, command):
    message = text(1, text(1, name) + number(2, int(attempt))) + text(2, text(1, image))
    message += b''.join(text(3, word) for word in command)
    message += mapping(9, {'io.kubernetes.container.name': name, 'tier': 'web', **pod_labels(pod)})
    return message + text(11, f'{name}/{attempt}.log') + text(15, b'')


class Runtime:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel('unix://' + socket)

    def call(self, method, message=b''):
        return self.channel.unary_unary('/runtime.v1.RuntimeService/' + method)(message, timeout=60)

    def pods(self):
        return [{'id': string(p, 1), 'name': string(first(p, 2), 1), 'namespace': string(first(p, 2), 3),
                 'ready': first(p, 3, 0) == 0, 'created': first(p, 4), 'labels': strings(p, 5)}
                for k, p in fields(self.call('ListPodSandbox')) if k == 1]

    def containers(self):
        return [{'id': string(c, 1), 'pod': string(c, 2), 'name': string(first(c, 3), 1), 'attempt': first(first(c, 3), 2, 0),
                 'image': string(first(c, 4), 1), 'image_ref': string(c, 5), 'status': STATES[first(c, 6, 0)],
                 'created': first(c, 7), 'labels': strings(c, 8)}
                for k, c in fields(self.call('ListContainers')) if k == 1]

    def status(self, container):
        s = first(self.call('ContainerStatus', text(1, container)), 1)
        # times as text: jq would round them
        return {'id': string(s, 1), 'status': STATES[first(s, 3, 0)], 'created': str(first(s, 4, 0)),
                'started': str(first(s, 5, 0)), 'finished': str(first(s, 6, 0)), 'exit_code': first(s, 7, 0), 'log': string(s, 15), 'labels': strings(s, 12)}

    def clear(self):
        for c in self.containers():
            self.call('StopContainer', text(1, c['id']))
            self.call('RemoveContainer', text(1, c['id']))
        for p in self.pods():
            self.call('StopPodSandbox', text(1, p['id']))
            self.call('RemovePodSandbox', text(1, p['id']))


def run_pod(runtime, pod, *options):
    port = options[options.index('--port') + 1] if '--port' in options else None
    config = pod_config(pod, '--host' in options, port)
    print(string(runtime.call('RunPodSandbox', text(1, config)), 1))


def create(runtime, pod_id, pod, name, image, attempt, *command):
    config = container_config(pod, name, image, attempt, command)
    message = text(1, pod_id) + text(2, config) + text(3, pod_config(pod))
    print(string(runtime.call('CreateContainer', message), 1))


def main():
    socket, command, *args = sys.argv[1:]
    runtime = Runtime(socket)
    calls = {'start': 'StartContainer', 'stop': 'StopContainer', 'rm': 'RemoveContainer', 'stopp': 'StopPodSandbox',
             'rmp': 'RemovePodSandbox'}
    if command in calls:
        runtime.call(calls[command], text(1, args[0]))
    elif command == 'runp':
        run_pod(runtime, *args)
    elif command == 'create':
        create(runtime, *args)
    elif command == 'clear':
        runtime.clear()
    else:
        print(json.dumps({'ps': runtime.containers, 'pods': runtime.pods, 'status': runtime.status}[command](*args)))


if __name__ == '__main__':
    main()
