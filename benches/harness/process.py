"""A server under measurement: started, looked at through /proc, stopped."""

import os
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")

# Servers run on the first processor and their load on the others, so that neither takes the other's
# time or caches; with one processor they share it.
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPUS = set(CPUS[:1])
LOAD_CPUS = set(CPUS[1:] or CPUS)


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(argv, cpus, **options):
    """Starts a program that may run on `cpus`; None: on any."""
    pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
    return subprocess.Popen(argv, preexec_fn=pin, **options)


class Server:
    """A server that answers; `with` stops it again."""

    def __init__(self, name, argv, port, env=None, cpus=SERVER_CPUS, log=None):
        self.name = name
        # Or something of it, on its own.
        self.is_turnkey = name in ("turnkey", "reactor")
        self.argv = argv
        self.port = port
        self.env = {**os.environ, **(env or {})}
        self.cpus = cpus
        self.log = log
        self.process = None
        self.start = None

    def __enter__(self):
        out = open(self.log, "ab") if self.log else subprocess.DEVNULL
        self.start = start = time.perf_counter()
        self.process = spawn(self.argv, self.cpus, env=self.env, stdout=out, stderr=out)
        while not answers(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: {self.argv}; see {self.log}")
            if time.perf_counter() - start > 30:
                raise RuntimeError(f"{self.name} does not answer: {self.argv}; see {self.log}")
            time.sleep(0.0002)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, 9)
            self.process.wait()

    def pids(self):
        """Its processes: the one that was started, and their children."""
        family = [self.process.pid]
        for pid in family:
            family += children(pid)
        return family

    def first_answer(self):
        """Asks for `/`, in the clear. Returns the seconds from the start to the answer."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{self.name} does not answer with 200")
        return time.perf_counter() - self.start

    def cpu(self):
        """CPU time so far, user and system, in seconds."""
        return sum(cpu_of(pid) for pid in self.pids())

    def memory(self, what):
        """`Pss` or `Rss` now, in bytes."""
        return sum(memory_of(pid, what) for pid in self.pids())


class InMemory:
    """A program that does so many of what a server does, and tells the CPU time that its server's side took."""

    is_turnkey = False

    def __init__(self, argv, cpus=SERVER_CPUS):
        self.argv = argv
        self.cpus = cpus

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cpu_each(self, count):
        """Microseconds for each of `count`."""
        process = spawn([*self.argv, str(count)], self.cpus, stdout=subprocess.PIPE, text=True)
        out, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{self.argv} failed")
        return float(out)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += [int(child) for child in file.read().split()]
    return found


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        # The name, in parentheses, may hold anything.
        fields = file.read().rpartition(")")[2].split()
    user, system = fields[11], fields[12]
    return (int(user) + int(system)) / TICK


def available_memory():
    """What the machine has left, in bytes: what the kernel keeps for sockets is in no process."""
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no MemAvailable in /proc/meminfo")


def memory_of(pid, what):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {what} of process {pid}")
