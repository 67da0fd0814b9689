#!/usr/bin/env python3
"""What long host lists cost the stock client: a job with 1, 10, 100 and 1,000 volunteers in its list.

Every address of 127.0.0.0/8 is this machine, so one stock daemon stands for as many volunteers as there are addresses.
Three situations: nobody else uses the list; all volunteers before the last one are busy; and how long a list may be.
All list lengths take turns, so that what else the machine does falls on each of them. Needs distcc and gcc.
"""

import fcntl
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

LENGTHS = [1, 10, 100, 1000]
ROUNDS = 15
PORT = 3877


def main():
    for program in ("distcc", "distccd", "gcc"):
        if not shutil.which(program):
            sys.exit(f"needs {program}")
    with tempfile.TemporaryDirectory() as folder:
        daemon = start_daemon(folder)
        try:
            source = os.path.join(folder, "a.c")
            with open(source, "w", encoding="ascii") as file:
                file.write("int answer(void) { return 42; }\n")
            print("| volunteers in the list | bytes | idle, ms | idle, CPU ms | all but the last busy, ms | … CPU ms |")
            print("|---|---|---|---|---|---|")
            measure(folder, source)
            print(f"\nlongest list that a program can be given: {longest_list()} volunteers")
        finally:
            daemon.terminate()
            daemon.wait()


def start_daemon(folder):
    daemon = subprocess.Popen(
        ["distccd", "--daemon", "--no-detach", "--allow", "127.0.0.0/8", "--listen", "0.0.0.0", "--port", str(PORT),
         "--jobs", "8", "--log-file", os.path.join(folder, "log"), "--enable-tcp-insecure"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    if daemon.poll() is not None:
        sys.exit("the stock daemon does not start")
    return daemon


def measure(folder, source):
    idle = {length: [] for length in LENGTHS}
    busy = {length: [] for length in LENGTHS}
    for _ in range(ROUNDS):
        for length in LENGTHS:
            idle[length].append(job(folder, source, length))
            with Busy(folder, length):
                busy[length].append(job(folder, source, length))
    for length in LENGTHS:
        cells = [length, len(host_list(length))]
        for runs in (idle[length], busy[length]):
            cells += [f"{statistics.median(run[part] for run in runs):.1f}" for part in (0, 1)]
        print("| " + " | ".join(map(str, cells)) + " |")


def address(number):
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


def host_list(length):
    return " ".join(f"{address(number)}:{PORT}/1,lzo" for number in range(length))


def job(folder, source, length):
    """Wall and processor milliseconds of one compile; the volunteer's own time is not in the latter."""
    environment = dict(os.environ, DISTCC_HOSTS=host_list(length), DISTCC_DIR=os.path.join(folder, "client"),
                       DISTCC_FALLBACK="0")
    os.makedirs(environment["DISTCC_DIR"], exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    subprocess.run(["distcc", "gcc", "-c", source, "-o", os.path.join(folder, "a.o")], env=environment, check=True)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


class Busy:
    """Holds the one slot of every volunteer but the last, as another client of this user would."""

    def __init__(self, folder, length):
        self.locks = os.path.join(folder, "client", "lock")
        self.length = length
        self.held = []

    def __enter__(self):
        os.makedirs(self.locks, exist_ok=True)
        for number in range(self.length - 1):
            path = os.path.join(self.locks, f"cpu_tcp_{address(number)}_{PORT}_0")
            file = open(path, "w", encoding="ascii")
            fcntl.lockf(file, fcntl.LOCK_EX)
            self.held.append(file)

    def __exit__(self, *_):
        for file in self.held:
            file.close()


def longest_list():
    """Linux takes 128 KiB for one variable (MAX_ARG_STRLEN)."""
    fits, too_long = 1, 100_000
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        environment = {"DISTCC_HOSTS": host_list(middle)}
        try:
            subprocess.run(["/bin/true"], env=environment, check=True)
            fits = middle
        except OSError:
            too_long = middle
    return fits


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
