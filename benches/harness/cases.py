"""The cases, and the ratios that are to be reached.

A case is a function that measures and returns rows; its name is what `--only` takes.
"""

import contextlib
import os
import time
from dataclasses import dataclass

from .contest import Figures, contest, cpu_each, rate, ratio
from .load import BROWSER, Idle, Load, Wrk
from .peers import Bench
from .process import LOAD_CPUS, available_memory

MICROSECONDS = "µs of CPU"
FLOOR = "async-h1's decoder and encoder alone"


@dataclass
class Row:
    """turnkey beside a peer."""

    case: str
    peer: str
    ours: float
    # None: there is nobody to compare with.
    theirs: float | None
    unit: str
    # The median of the ratios; None without a peer.
    ratio: float | None
    # What there is to reach; None: it is told, and that is all.
    target: float | None
    # Whether it is `ours`, not the ratio, that has to reach it.
    absolute: bool = False
    # Whether more is better.
    more: bool = False
    # The ratio that async-h1's decoder and encoder alone have to the same peer, where they were measured.
    alone: float | None = None

    @property
    def value(self):
        return self.ours if self.absolute else self.ratio

    @property
    def reached(self):
        if self.target is None:
            return None
        return self.value >= self.target if self.more else self.value <= self.target


@dataclass
class Plan:
    """How much is measured."""

    rounds: int = 5
    # Of wrk, each time.
    seconds: int = 2
    # CPU time is told in hundredths of a second: so many that one of them is 2 % at most.
    handshakes: int = 3000
    resumptions: int = 9000
    idle: int = 5000
    # As many as a server has descriptors for where 20,000 are allowed.
    crowd: int = 16_000
    files: int = 30


def compare(case, figures, ours, targets, unit, floor=None):
    """Rows of `ours` beside each peer in `targets` that was measured; `floor` is what async-h1 takes
    alone for the same."""
    return [
        Row(
            case,
            peer,
            figures[ours].median,
            figures[peer].median,
            unit,
            ratio(figures[ours], figures[peer]),
            target,
            alone=ratio(figures[floor], figures[peer]) if floor not in (None, peer) else None,
        )
        for peer, target in targets.items()
        if peer in figures
    ]


def started(stack, servers):
    """Starts `servers`, by name, for as long as `stack` lives."""
    return {name: stack.enter_context(server) for name, server in servers.items()}


def plain(bench, plan):
    """Requests over 64 plain connections that are kept."""
    servers = {
        "turnkey": bench.turnkey(),
        "nginx": bench.nginx(tls=None),
        "hyper": bench.hyper(),
        "trillium": bench.trillium(),
        "async_h1::accept": bench.async_h1(),
        FLOOR: bench.floor(),
    }
    if bench.has_gunicorn():
        servers["gunicorn"] = bench.gunicorn()
    if bench.has("apache2"):
        servers["Apache"] = bench.apache()
    common = {"hyper": None, "trillium": 0.9, "async_h1::accept": 0.4, "gunicorn": 0.04, FLOOR: None}
    cases = [
        ("few fields", (), {"nginx": 1.1, **common, "Apache": None}),
        ("a browser's ten fields", BROWSER, {"nginx": 1.25, **common, "Apache": None}),
    ]
    rows = []
    with contextlib.ExitStack() as stack:
        running = started(stack, servers)
        for name, fields, targets in cases:
            load = Wrk(plan.seconds, fields=fields)
            figures = contest(running, plan.rounds, cpu_each(load), warm(fields=fields))
            case = f"plain keep-alive, {name}"
            rows += compare(case, figures, "turnkey", targets, MICROSECONDS, FLOOR)
    return rows


def tls(bench, plan):
    """Requests over 64 connections of TLS that are kept."""
    servers = {
        "rustls": bench.turnkey(backend="rustls"),
        "openssl": bench.turnkey(backend="openssl"),
        "native-tls": bench.turnkey(backend="native-tls"),
        "nginx": bench.nginx(),
        "nginx, TLS 1.2": bench.nginx(tls=["ssl_protocols TLSv1.2;"]),
        "hyper on rustls": bench.hyper(tls=True),
        "trillium on native-tls": bench.trillium(tls=True),
    }
    targets = {
        "rustls": {"nginx": 0.9, "hyper on rustls": None},
        "openssl": {"nginx": 1.1},
        # It speaks 1.2 only.
        "native-tls": {"nginx, TLS 1.2": 1.1, "trillium on native-tls": None},
    }
    for backend, peers in targets.items():
        servers[floor_on(backend)] = bench.floor(backend)
        peers[floor_on(backend)] = None
    with contextlib.ExitStack() as stack:
        running = started(stack, servers)
        load = Wrk(plan.seconds, tls=True)
        figures = contest(running, plan.rounds, cpu_each(load), warm(tls=True))
    rows = []
    for backend, peers in targets.items():
        case = f"TLS keep-alive, {backend}"
        rows += compare(case, figures, backend, peers, MICROSECONDS, floor_on(backend))
    return rows


def floor_on(backend):
    return f"{FLOOR}, {backend}"


def handshakes(bench, plan):
    """Full handshakes with a P-256 key, each with one request, 16 at a time."""
    rows = []
    for version, backends in {
        "1.3": {"rustls": 0.7, "openssl": 1.05},
        "1.2": {"rustls": 0.8, "openssl": 1.05, "native-tls": 1.05},
    }.items():
        servers = {backend: bench.turnkey(backend=backend) for backend in backends}
        servers["nginx"] = bench.nginx()
        servers |= {name: make(bench, tls=True) for name, make in others(backends)}
        figures = shake_hands(bench, plan, servers, ["--tls", version])
        for backend, target in backends.items():
            peers = {"nginx": target} | {name: None for name, _ in others([backend])}
            case = f"full handshake, TLS {version}, {backend}"
            rows += compare(case, figures, backend, peers, MICROSECONDS)
    return rows


def mutual(bench, plan):
    """Full handshakes with a client's certificate."""
    backends = {"rustls": 0.8, "openssl": 1.05}
    servers = {backend: bench.turnkey(backend=backend, mutual=True) for backend in backends}
    # Sessions are off in mutual mode, and so they are here: both do the same work.
    servers["nginx"] = bench.nginx(
        tls=[
            "ssl_verify_client on;",
            f"ssl_client_certificate {bench.certs['p256'] / 'ca.crt'};",
            "ssl_session_tickets off;",
        ]
    )
    figures = shake_hands(bench, plan, servers, ["--tls", "1.3", *bench.client()])
    return [
        row
        for backend, target in backends.items()
        for row in compare(
            f"full mutual handshake, {backend}", figures, backend, {"nginx": target}, MICROSECONDS
        )
    ]


def resumed(bench, plan):
    """Handshakes that resume a session by its ticket."""
    rows = []
    for version, backends in {"1.3": ["rustls", "openssl"], "1.2": ["rustls", "native-tls"]}.items():
        servers = {backend: bench.turnkey(backend=backend) for backend in backends}
        servers["nginx"] = bench.nginx()
        servers |= {name: make(bench, tls=True) for name, make in others(backends)}
        figures = shake_hands(bench, plan, servers, ["--tls", version, "--resume"], plan.resumptions)
        for backend in backends:
            case = f"resumed handshake, TLS {version}, {backend}"
            peers = {"nginx": 1.0} | {name: None for name, _ in others([backend])}
            rows += compare(case, figures, backend, peers, MICROSECONDS)
    return rows


def others(backends):
    """Who else is on the same stacks, and what makes them."""
    known = {
        "rustls": ("hyper on rustls", Bench.hyper),
        "native-tls": ("trillium on native-tls", Bench.trillium),
    }
    return [known[backend] for backend in backends if backend in known]


def fleet(bench, plan):
    """Sessions that are begun at one server and resumed at another, which has the same ticket keys: the
    load takes each handshake that is not resumed for an error."""
    rows = []
    for backend in ("rustls", "openssl"):
        keys = ["--ticket-keys", bench.ticket_keys()]
        servers = {
            TWO_PROCESSES: bench.turnkey_processes(2, *keys, backend=backend),
            ONE_PROCESS: bench.turnkey(*keys, backend=backend),
        }
        options = ["--tls", "1.3", "--resume"]
        figures = shake_hands(bench, plan, servers, options, plan.resumptions)
        case = f"resumed handshake, two processes with shared ticket keys, {backend}"
        rows += compare(case, figures, TWO_PROCESSES, {ONE_PROCESS: None}, MICROSECONDS)
    return rows


def shake_hands(bench, plan, servers, options, count=None):
    with contextlib.ExitStack() as stack:
        running = started(stack, servers)
        few = Load(bench.load, "handshakes", 200, 16, options)
        load = Load(bench.load, "handshakes", count or plan.handshakes, 16, options)
        return contest(running, plan.rounds, cpu_each(load), lambda s: few.run(s, lambda: None))


def files(bench, plan):
    """A file of 100 MiB, over two connections."""
    folder = bench.folder / "files"
    folder.mkdir(exist_ok=True)
    with open(folder / "large.bin", "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1 << 20))
    rows = []
    options = ["--path", "/large.bin"]
    for name, tls, target in [("plain", None, 1.1), ("TLS, rustls", (), 1.0)]:
        backend = None if tls is None else "rustls"
        servers = {
            "turnkey": bench.turnkey("--dir", str(folder), backend=backend),
            "nginx": bench.nginx(f"root {folder};", tls=tls),
        }
        with contextlib.ExitStack() as stack:
            running = started(stack, servers)
            version = [] if tls is None else ["--tls", "1.3"]
            load = Load(bench.load, "requests", plan.files, 2, options + version)
            figures = contest(running, plan.rounds, cpu_each(load))
        rows += compare(
            f"file of 100 MiB, {name}", figures, "turnkey", {"nginx": target}, MICROSECONDS
        )
    return rows


def proxy(bench, plan):
    """Small answers of a fast upstream, handed on."""
    with contextlib.ExitStack() as stack:
        # On the processors of the load: it is part of it.
        upstream = stack.enter_context(bench.nginx(tls=None, cpus=LOAD_CPUS))
        servers = {
            "turnkey": bench.turnkey("--proxy", f"http://127.0.0.1:{upstream.port}"),
            "nginx": bench.nginx_proxy(upstream),
        }
        if bench.has("haproxy"):
            servers["HAProxy"] = bench.haproxy(upstream)
        if bench.has("caddy"):
            servers["Caddy"] = bench.caddy(upstream)
        running = started(stack, servers)
        figures = contest(running, plan.rounds, cpu_each(Wrk(plan.seconds)), warm())
    targets = {"nginx": 1.15, "HAProxy": 1.15, "Caddy": 0.25}
    return compare("proxy", figures, "turnkey", targets, MICROSECONDS)


def memory(bench, plan):
    """What an idle connection holds, after one request."""
    rows = []
    unit = "KiB"
    servers = {
        "turnkey": bench.turnkey("--idle-timeout", "600"),
        "nginx": bench.nginx(tls=None),
        "hyper": bench.hyper(),
        "async_h1::accept": bench.async_h1(),
    }
    figures = held(bench, plan, servers, [])
    ours = figures["turnkey"].median
    case = "memory of an idle connection, plain"
    rows.append(Row(case, "", ours, None, unit, None, 2.0, absolute=True))
    told = {"nginx": None, "hyper": None, "async_h1::accept": None}
    rows += compare(case, figures, "turnkey", told, unit)
    long = ["--idle-timeout", "600"]
    servers = {
        "rustls": bench.turnkey(*long, backend="rustls"),
        "openssl": bench.turnkey(*long, backend="openssl"),
        "native-tls": bench.turnkey(*long, backend="native-tls"),
        "nginx": bench.nginx(),
        "hyper on rustls": bench.hyper(tls=True),
    }
    figures = held(bench, plan, servers, ["--tls", "1.3"])
    for backend, peers in {
        "rustls": {"nginx": 1.1, "hyper on rustls": None},
        "openssl": {"nginx": None},
    }.items():
        rows += compare(f"memory of an idle connection, {backend}", figures, backend, peers, unit)
    return rows


def held(bench, plan, servers, options):
    """KiB of PSS for each idle connection, over what the server holds after it had some."""
    figures = {name: Figures(name) for name in servers}
    for name, server in servers.items():
        own = ["--tls", "1.2"] if options and name == "native-tls" else options
        with server:
            with Idle(bench.load, server, 64, own):
                pass
            time.sleep(0.5)
            before = server.memory("Pss")
            with Idle(bench.load, server, plan.idle, own):
                time.sleep(1)
                after = server.memory("Pss")
            figures[name].each.append((after - before) / plan.idle / 1024)
    return figures


# So that no process of the load needs more descriptors, or ports, than there are.
CROWD_HOSTS = [f"127.0.0.{n}" for n in range(1, 5)]


def crowd(bench, plan):
    """What an idle connection holds where there are many: of the server's memory, and of the
    machine's, for which the client's end counts too."""
    room = plan.crowd + 1000
    options = ["--host", "0.0.0.0", "--idle-timeout", "600", "--max-connections", str(room)]
    servers = {
        "plain": (bench.turnkey(*options), []),
        "rustls": (bench.turnkey(*options, backend="rustls"), ["--tls", "1.3"]),
        "nginx": (bench.nginx(tls=None, host="0.0.0.0", connections=room), []),
        "nginx, TLS": (bench.nginx(host="0.0.0.0", connections=room), ["--tls", "1.3"]),
    }
    own = {name: Figures(name) for name in servers}
    all_in_all = {name: Figures(name) for name in servers}
    for name, (server, tls) in servers.items():
        with server, contextlib.ExitStack() as stack:
            with Idle(bench.load, server, 64, tls):
                pass
            time.sleep(1)
            before, free = server.memory("Pss"), available_memory()
            for host in CROWD_HOSTS:
                each = plan.crowd // len(CROWD_HOSTS)
                stack.enter_context(Idle(bench.load, server, each, tls, host=host))
            time.sleep(1)
            own[name].each.append((server.memory("Pss") - before) / plan.crowd / 1024)
            all_in_all[name].each.append((free - available_memory()) / plan.crowd / 1024)
    rows = []
    for what, figures in {"memory": own, "memory of the machine": all_in_all}.items():
        for name, peer in {"plain": "nginx", "rustls": "nginx, TLS"}.items():
            case = f"{what} for each of {plan.crowd:,} idle connections, {name}"
            rows += compare(case, figures, name, {peer: None}, "KiB")
    return rows


def beside_idle(bench, plan):
    """Requests while thousands of other connections wait."""
    name = f"itself, without {plan.idle} idle connections"
    long = ["--idle-timeout", "600"]
    with contextlib.ExitStack() as stack:
        running = started(stack, {"turnkey": bench.turnkey(*long), name: bench.turnkey(*long)})
        stack.enter_context(Idle(bench.load, running["turnkey"], plan.idle))
        figures = contest(running, plan.rounds, cpu_each(Wrk(plan.seconds)), warm())
    case = f"plain keep-alive beside {plan.idle} idle connections"
    return compare(case, figures, "turnkey", {name: 1.1}, MICROSECONDS)


def threads(bench, plan):
    """Two threads, and two processes, beside one thread. The first load is light beside what the server
    does: handshakes with an RSA key of 4096 bits, which cost the client next to nothing."""
    light = Load(bench.load, "handshakes", plan.handshakes // 2, 16, ["--tls", "1.3"], cpus=None)
    heavy = Wrk(plan.seconds, cpus=None)
    rows = []
    with contextlib.ExitStack() as stack:
        options = {"backend": "rustls", "key_type": "rsa4096", "cpus": None}
        running = started(stack, at_two(bench, options))
        figures = contest(running, plan.rounds, rate(light))
        rows += gains("handshakes with RSA 4096", figures, 1.7)
    with contextlib.ExitStack() as stack:
        running = started(stack, at_two(bench, {"cpus": None}))
        case = "plain keep-alive, with the load on the same processors"
        figures = contest(running, plan.rounds, rate(heavy), warm())
        rows += gains(case, figures, None)
        figures = contest(running, plan.rounds, cpu_each(heavy))
        for name in (TWO_THREADS, TWO_PROCESSES):
            rows += compare(f"{name}, {case}", figures, name, {ONE: None}, MICROSECONDS)
    return rows


ONE, TWO_THREADS = "one thread", "two threads"
ONE_PROCESS, TWO_PROCESSES = "one process", "two processes"


def at_two(bench, options):
    return {
        ONE: bench.turnkey(**options),
        TWO_THREADS: bench.turnkey("--threads", "2", **options),
        TWO_PROCESSES: bench.turnkey_processes(2, **options),
    }


def gains(case, figures, target):
    """How many times the requests of one thread; the target is for two threads."""
    one = figures[ONE]
    return [
        Row(
            f"{name}, {case}",
            ONE,
            figures[name].median,
            one.median,
            "/s",
            ratio(figures[name], one),
            target if name == TWO_THREADS else None,
            more=True,
        )
        for name in (TWO_THREADS, TWO_PROCESSES)
    ]


def start(bench, plan):
    """From the start to the first answer, and what is held then."""
    servers = {"turnkey": bench.turnkey(), "nginx": bench.nginx(tls=None)}
    took = {name: Figures(name) for name in servers}
    held_then = {what: {name: Figures(name) for name in servers} for what in ("Rss", "Pss")}
    for _ in range(plan.rounds):
        for name, server in servers.items():
            with server:
                took[name].each.append(server.first_answer() * 1000)
                time.sleep(0.3)
                for what, figures in held_then.items():
                    figures[name].each.append(server.memory(what) / 2**20)
    rows = [absolute("start to first answer", took["turnkey"].median, took["nginx"].median, "ms", 20)]
    for what, target in (("Rss", None), ("Pss", 1.0)):
        case = f"memory at start ({what.upper()})"
        rows += compare(case, held_then[what], "turnkey", {"nginx": target}, "MiB")
    size = os.stat(bench.small_program).st_size / 2**20
    nginx = os.stat(servers["nginx"].argv[0]).st_size / 2**20
    rows.append(absolute("program, stripped", size, nginx, "MiB", 8))
    return rows


def absolute(case, ours, theirs, unit, target):
    return Row(case, "nginx", ours, theirs, unit, ours / theirs, target, absolute=True)


def warm(**options):
    """A short run that does not count."""
    load = Wrk(1, **options)
    return lambda server: load.run(server, lambda: None)


CASES = {
    "plain": plain,
    "tls": tls,
    "handshakes": handshakes,
    "mutual": mutual,
    "resumed": resumed,
    "fleet": fleet,
    "files": files,
    "proxy": proxy,
    "memory": memory,
    "crowd": crowd,
    "beside-idle": beside_idle,
    "threads": threads,
    "start": start,
}
