#!/usr/bin/env python3
"""How long does a second `up` take, when there is nothing to do: farmctl's beside docker-compose's, on the same containers?

Brings a farm up on an address of its own, describes its containers in a compose file and brings those up beside it on another
address, then times `farmctl up` and `docker-compose up -d` in turn. Engine calls are counted at a relay in front of the
engine's socket, in a run of their own. Prints one line for each way: least, median and most milliseconds, and calls.

    tests/bench/second-up.py FARMCTL [--rounds N]

Needs docker-compose, and images that are assembled or can be. Waits until the engine's own health checks have passed, since
`up` looks at volunteers that have not passed theirs. Everything it made is removed at the end.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time

ENGINE = "/var/run/docker.sock"
OURS, THEIRS = "127.0.77.1", "127.0.77.2"
NAME = "bench-second"


def run(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


def containers():
    ids = run("docker", "ps", "-q", "--filter", f"label=farmctl.farm={NAME}").split()
    return json.loads(run("docker", "inspect", *ids)) if ids else []


def wait_until_healthy():
    deadline = time.time() + 300
    while time.time() < deadline:
        states = [c["State"].get("Health", {}).get("Status", "healthy") for c in containers()]
        if states and all(state == "healthy" for state in states):
            return
        time.sleep(1)
    raise SystemExit("the volunteers do not become healthy")


def seconds(nanoseconds):
    return f"{nanoseconds // 1_000_000_000}s"


def checked(check):
    if check["Test"] == ["NONE"]:
        return {"disable": True}
    return {
        "test": check["Test"],
        "interval": seconds(check["Interval"]),
        "timeout": seconds(check["Timeout"]),
        "retries": check["Retries"],
    }


def service(container):
    """One container as compose describes it; empty settings are left out."""
    config, host = container["Config"], container["HostConfig"]
    check = config.get("Healthcheck")
    own_network = host["NetworkMode"] in ("none", "host")
    described = {
        "image": config["Image"],
        "command": config["Cmd"],
        "hostname": None if host["NetworkMode"] == "host" else config["Hostname"],
        "read_only": host["ReadonlyRootfs"],
        "cap_drop": host.get("CapDrop"),
        "security_opt": host.get("SecurityOpt"),
        "mem_limit": host["Memory"],
        "memswap_limit": host["MemorySwap"],
        "pids_limit": host.get("PidsLimit"),
        "oom_score_adj": host.get("OomScoreAdj"),
        "restart": host["RestartPolicy"]["Name"],
        "stop_grace_period": f"{config.get('StopTimeout') or 10}s",
        "tmpfs": [f"{path}:{options}" for path, options in (host.get("Tmpfs") or {}).items()],
        "volumes": [f"{m['Name']}:{m['Destination']}" for m in container["Mounts"] if m["Type"] == "volume"],
        "network_mode": host["NetworkMode"] if own_network else None,
        "networks": None if own_network else ["farm"],
        "ports": [
            f"{THEIRS}:{binding['HostPort']}:{port.split('/')[0]}"
            for port, bindings in (host.get("PortBindings") or {}).items()
            for binding in bindings or []
        ],
        "healthcheck": checked(check) if check else None,
    }
    return {key: value for key, value in described.items() if value}


def compose_file(path):
    made = containers()
    volumes = {m["Name"] for c in made for m in c["Mounts"] if m["Type"] == "volume"}
    options = {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=65532,gid=65532,mode=0700"}}
    document = {
        "version": "2.4",
        "services": {c["Name"].lstrip("/"): service(c) for c in made},
        "networks": {"farm": {}},
        "volumes": {name: options for name in volumes},
    }
    with open(path, "w") as file:
        json.dump(document, file, indent=2)
    return len(made)


class Relay:
    """Passes bytes between clients and the engine, and counts the requests among them."""

    REQUEST = re.compile(rb"(?:GET|POST|HEAD|DELETE|PUT) /\S* HTTP/1\.1\r\n")

    def __init__(self, path):
        self.path, self.calls = path, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(ENGINE)
            for source, sink, counted in ((client, engine, True), (engine, client, False)):
                threading.Thread(target=self.copy, args=(source, sink, counted), daemon=True).start()

    def copy(self, source, sink, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    self.calls += len(self.REQUEST.findall(data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def timed(command, environment):
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return (time.perf_counter() - begun) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("farmctl")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    farmctl = os.path.abspath(arguments.farmctl)
    folder = tempfile.mkdtemp(prefix="farmbench")
    manifest, compose = f"{folder}/farm.yaml", f"{folder}/compose.json"
    with open(manifest, "w") as file:
        file.write(f"farm: {NAME}\naddress: {OURS}\n")
    ways = {
        "farmctl up": [farmctl, "-f", manifest, "up"],
        "docker-compose up -d": ["docker-compose", "-p", f"{NAME}-compose", "-f", compose, "up", "-d"],
    }
    try:
        subprocess.run(ways["farmctl up"], check=True)
        wait_until_healthy()
        count = compose_file(compose)
        subprocess.run(ways["docker-compose up -d"], check=True)
        times = {way: [] for way in ways}
        for _ in range(arguments.rounds):
            for way, command in ways.items():
                times[way].append(timed(command, os.environ))
        print(f"{count} containers, {arguments.rounds} rounds")
        for way, command in ways.items():
            relay = Relay(f"{folder}/{way.split()[0]}.sock")
            timed(command, {**os.environ, "DOCKER_HOST": f"unix://{relay.path}"})
            least, most = min(times[way]), max(times[way])
            middle = statistics.median(times[way])
            print(f"{way}: {least:.0f} / {middle:.0f} / {most:.0f} ms, {relay.calls} calls")
    finally:
        if os.path.exists(compose):
            subprocess.run([*ways["docker-compose up -d"][:-2], "down", "-v"], check=False)
        subprocess.run([farmctl, "-f", manifest, "down"], check=False)


if __name__ == "__main__":
    main()
