"""The cases of connections that are new for each request, over TLS."""

import contextlib

from .contest import contest, cpu_each, started
from .load import Load
from .peers import AS_NATIVE_TLS, NGINX_AS_NATIVE_TLS
from .process import InMemory
from .rows import MICROSECONDS, compare

ONE_PROCESS, TWO_PROCESSES = "one process", "two processes"
NATIVE_TLS_ALONE = "native-tls alone"
RUSTLS_ALONE = "rustls alone, in memory"

# What a backend's library takes alone.
FLOORS = {"native-tls": NATIVE_TLS_ALONE, "rustls": RUSTLS_ALONE}

# Of key exchange: the one that all can do, and the one that browsers and OpenSSL 3.5 begin with.
CLASSICAL, HYBRID = "X25519", "X25519MLKEM768"


def handshakes(bench, plan):
    """Full handshakes with a P-256 key and X25519, each with one request, 16 at a time; and with
    X25519MLKEM768, which OpenSSL has from 3.5 on: nginx is no peer there."""
    rows = []
    for version, backends in {
        "1.3": {"rustls": 0.7, "openssl": 1.05},
        "1.2": {"rustls": 0.8, "openssl": 1.05, "native-tls": 1.05},
    }.items():
        servers = {backend: bench.turnkey(backend=backend) for backend in backends}
        servers["nginx"] = bench.nginx()
        beside = {backend: others(bench, backend) for backend in backends}
        beside["rustls"][RUSTLS_ALONE] = bench.rustls(version, CLASSICAL)
        for more in beside.values():
            servers |= more
        figures = shake_hands(bench, plan, servers, ["--tls", version, "--group", CLASSICAL])
        for backend, target in backends.items():
            peers = {"nginx": target} | dict.fromkeys(beside[backend])
            case = f"full handshake, TLS {version}, {backend}"
            rows += compare(case, figures, backend, peers, MICROSECONDS, FLOORS.get(backend))
    beside = {**others(bench, "rustls"), RUSTLS_ALONE: bench.rustls("1.3", HYBRID)}
    servers = {"rustls": bench.turnkey(backend="rustls"), **beside}
    figures = shake_hands(bench, plan, servers, ["--tls", "1.3", "--group", HYBRID])
    case = f"full handshake, TLS 1.3, {HYBRID}, rustls"
    rows += compare(case, figures, "rustls", dict.fromkeys(beside), MICROSECONDS, RUSTLS_ALONE)
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
        beside = {backend: others(bench, backend) for backend in backends}
        for more in beside.values():
            servers |= more
        figures = shake_hands(bench, plan, servers, ["--tls", version, "--resume"], plan.resumptions)
        for backend in backends:
            case = f"resumed handshake, TLS {version}, {backend}"
            peers = {"nginx": 1.0} | dict.fromkeys(beside[backend])
            rows += compare(case, figures, backend, peers, MICROSECONDS, FLOORS.get(backend))
    return rows


def others(bench, backend):
    """Who else is on the same stack, or does as it does."""
    if backend == "rustls":
        return {"hyper on rustls": bench.hyper(tls=True)}
    if backend == "native-tls":
        return {
            "trillium on native-tls": bench.trillium(tls=True),
            NATIVE_TLS_ALONE: bench.native_tls(),
            NGINX_AS_NATIVE_TLS: bench.nginx(tls=AS_NATIVE_TLS),
        }
    return {}


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
        running = started(stack, servers, plan.peer)
        few = Load(bench.load, "handshakes", 200, 16, options)
        load = Load(bench.load, "handshakes", count or plan.handshakes, 16, options)
        warm_up = lambda s: None if isinstance(s, InMemory) else few.run(s, lambda: None)
        return contest(running, plan.rounds, cpu_each(load), warm_up)
