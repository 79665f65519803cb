"""Processes that the bench starts, and ends again: what it measures, and what it sends to.

It must not end anything that it did not start.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

PATH = os.environ["PATH"] + ":/usr/sbin"


def find(tool):
    return shutil.which(tool, path=PATH)


@dataclass
class Ran:
    """How a run went: its time in seconds, its peak memory in MB, and when it began."""

    seconds: float
    memory: float
    began: float


class Failed(Exception):
    """A run that did not end as it should."""


def run(argv, limit, cwd, env=None):
    """Runs one program to its end and measures the whole of it. After `limit` seconds it is ended, and has failed."""
    with open(os.path.join(cwd, "run.log"), "w+") as log:
        began, start = time.time(), time.perf_counter()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env)
        watch = Watch(child.pid)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            seconds = time.perf_counter() - start
            child.kill()
            child.wait()
        memory = watch.end()
        log.seek(0)
        said = log.read()[-2000:]
    if code != 0:
        why = f"took longer than {limit} s" if code is None else f"ended with {code}"
        raise Failed(f"{os.path.basename(argv[0])} {why}\n{said}")
    return Ran(seconds, memory, began)


class Watch:
    """Looks at a process's peak memory until it ends. What `wait4` tells has the parent's own in it."""

    EVERY = 0.02

    def __init__(self, pid):
        self.peak, self.is_over = 0, threading.Event()
        self.thread = threading.Thread(target=self.look, args=(f"/proc/{pid}/status",), daemon=True)
        self.thread.start()

    def look(self, path):
        while not self.is_over.wait(self.EVERY):
            try:
                with open(path) as status:
                    found = [line.split()[1] for line in status if line.startswith("VmHWM")]
            except OSError:
                return
            self.peak = max([self.peak, *map(int, found)])

    def end(self):
        """In MB."""
        self.is_over.set()
        self.thread.join()
        return self.peak / 1024


class Server:
    """A program that serves as long as the `with` block lasts."""

    def __init__(self, argv, **options):
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Sink(Server):
    """Postfix's smtp-sink: takes every message and forgets it."""

    def __init__(self):
        self.port = free_port()
        as_user = ["-u", unprivileged()] if os.geteuid() == 0 else []  # it refuses to stay root
        super().__init__([find("smtp-sink"), *as_user, f"127.0.0.1:{self.port}", "1000"])
        until_open(self.port)


class Between(Server):
    """Something of `undersigned-bench` in front of a sink: a longer way, or TLS."""

    def __init__(self, helper, verb, *options):
        argv = [helper, verb, *map(str, options)]
        super().__init__(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def first_letter(self):
        """The time at which the first letter came by. To be asked after it did."""
        return int(self.process.stdout.readline().split()[1]) / 1e9


def unprivileged():
    for name in ("postfix", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return "daemon"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until_open(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"nothing listens on port {port}")
