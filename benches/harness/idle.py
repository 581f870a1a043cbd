"""The cases of connections that wait."""

import contextlib
import time

from .contest import Figures, contest, cpu_each, started, warm
from .load import Idle, Wrk
from .process import available_memory
from .rows import MICROSECONDS, Row, compare


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
        running = started(stack, {"turnkey": bench.turnkey(*long), name: bench.turnkey(*long)}, plan.peer)
        stack.enter_context(Idle(bench.load, running["turnkey"], plan.idle))
        figures = contest(running, plan.rounds, cpu_each(Wrk(plan.seconds)), warm())
    case = f"plain keep-alive beside {plan.idle} idle connections"
    return compare(case, figures, "turnkey", {name: 1.1}, MICROSECONDS)
