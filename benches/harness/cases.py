"""The cases, and the ratios that are to be reached.

A case is a function that measures and returns rows; its name is what `--only` takes.
"""

import contextlib
import os
import time

from .contest import Figures, contest, cpu_each, rate, ratio, started, warm
from .handshakes import TWO_PROCESSES, fleet, handshakes, mutual, resumed
from .idle import beside_idle, crowd, memory
from .load import BROWSER, Load, Wrk
from .peers import AS_NATIVE_TLS, NGINX_AS_NATIVE_TLS
from .process import LOAD_CPUS
from .rows import MICROSECONDS, Row, absolute, compare

FLOOR = "async-h1's decoder and encoder alone"


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
    if bench.has("h2o"):
        servers["h2o"] = bench.h2o()
    if bench.has_gunicorn():
        servers["gunicorn"] = bench.gunicorn()
    if bench.has("apache2"):
        servers["Apache"] = bench.apache()
    common = {"h2o": None, "hyper": None, "trillium": 0.9, "async_h1::accept": 0.4, "gunicorn": 0.04, FLOOR: None}
    cases = [
        ("few fields", (), {"nginx": 1.1, **common, "Apache": None}),
        ("a browser's ten fields", BROWSER, {"nginx": 1.25, **common, "Apache": None}),
    ]
    rows = []
    with contextlib.ExitStack() as stack:
        running = started(stack, servers, plan.peer)
        for name, fields, targets in cases:
            load = Wrk(plan.seconds, fields=fields)
            figures = contest(running, plan.rounds, cpu_each(load), warm(fields=fields))
            case = f"plain keep-alive, {name}"
            rows += compare(case, figures, "turnkey", targets, MICROSECONDS, FLOOR)
    return rows


def reactor(bench, plan):
    """Fixed bytes over 64 plain connections that are kept: what the reactor costs."""
    ours, smols = "fixed bytes on turnkey's reactor", "fixed bytes on smol's reactor"
    servers = {
        ours: bench.reactor("turnkey"),
        smols: bench.reactor("smol"),
        "nginx": bench.nginx(tls=None),
    }
    with contextlib.ExitStack() as stack:
        running = started(stack, servers, plan.peer)
        figures = contest(running, plan.rounds, cpu_each(Wrk(plan.seconds)), warm())
    rows = []
    for name, peers in ((ours, (smols, "nginx")), (smols, ("nginx",))):
        rows += compare(name, figures, name, dict.fromkeys(peers), MICROSECONDS)
    return rows


def tls(bench, plan):
    """Requests over 64 connections of TLS that are kept."""
    servers = {
        "rustls": bench.turnkey(backend="rustls"),
        "openssl": bench.turnkey(backend="openssl"),
        "native-tls": bench.turnkey(backend="native-tls"),
        "nginx": bench.nginx(),
        "nginx, TLS 1.2": bench.nginx(tls=["ssl_protocols TLSv1.2;"]),
        NGINX_AS_NATIVE_TLS: bench.nginx(tls=AS_NATIVE_TLS),
        "hyper on rustls": bench.hyper(tls=True),
        "trillium on native-tls": bench.trillium(tls=True),
    }
    if bench.has("h2o"):
        servers["h2o"] = bench.h2o(tls=True)
    targets = {
        "rustls": {"nginx": 0.9, "h2o": None, "hyper on rustls": None},
        "openssl": {"nginx": 1.1, "h2o": None},
        # It speaks 1.2 only.
        "native-tls": {
            "nginx, TLS 1.2": 1.1,
            NGINX_AS_NATIVE_TLS: None,
            "trillium on native-tls": None,
        },
    }
    for backend, peers in targets.items():
        servers[floor_on(backend)] = bench.floor(backend)
        peers[floor_on(backend)] = None
    with contextlib.ExitStack() as stack:
        running = started(stack, servers, plan.peer)
        load = Wrk(plan.seconds, tls=True)
        figures = contest(running, plan.rounds, cpu_each(load), warm(tls=True))
    rows = []
    for backend, peers in targets.items():
        case = f"TLS keep-alive, {backend}"
        rows += compare(case, figures, backend, peers, MICROSECONDS, floor_on(backend))
    return rows


def floor_on(backend):
    return f"{FLOOR}, {backend}"


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
            running = started(stack, servers, plan.peer)
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
        running = started(stack, servers, plan.peer)
        figures = contest(running, plan.rounds, cpu_each(Wrk(plan.seconds)), warm())
    targets = {"nginx": 1.15, "HAProxy": 1.15, "Caddy": 0.25}
    return compare("proxy", figures, "turnkey", targets, MICROSECONDS)


def threads(bench, plan):
    """Two threads, and two processes, beside one thread. The first load is light beside what the server
    does: handshakes with an RSA key of 4096 bits, which cost the client next to nothing."""
    light = Load(bench.load, "handshakes", plan.handshakes // 2, 16, ["--tls", "1.3"], cpus=None)
    heavy = Wrk(plan.seconds, cpus=None)
    rows = []
    with contextlib.ExitStack() as stack:
        options = {"backend": "rustls", "key_type": "rsa4096", "cpus": None}
        running = started(stack, at_two(bench, options), plan.peer)
        figures = contest(running, plan.rounds, rate(light))
        rows += gains("handshakes with RSA 4096", figures, 1.7)
    with contextlib.ExitStack() as stack:
        running = started(stack, at_two(bench, {"cpus": None}), plan.peer)
        case = "plain keep-alive, with the load on the same processors"
        figures = contest(running, plan.rounds, rate(heavy), warm())
        rows += gains(case, figures, None)
        figures = contest(running, plan.rounds, cpu_each(heavy))
        for name in (TWO_THREADS, TWO_PROCESSES):
            rows += compare(f"{name}, {case}", figures, name, {ONE: None}, MICROSECONDS)
    return rows


ONE, TWO_THREADS = "one thread", "two threads"


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
    size = os.stat(bench.turnkey_program).st_size / 2**20
    nginx = os.stat(servers["nginx"].argv[0]).st_size / 2**20
    rows.append(absolute("program, stripped", size, nginx, "MiB", 8))
    return rows


CASES = {
    "plain": plain,
    "reactor": reactor,
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
