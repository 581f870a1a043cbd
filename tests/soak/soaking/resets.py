"""Clients that leave by a reset, at every stage of a connection."""

import time

from .crew import kind, on
from .http import request, reset


@kind("reset before the handshake", 0.15, fault=True)
def at_once(target, _):
    reset(target.socket())


@kind("reset in the handshake", 0.15, on=lambda target: target.tls, fault=True)
def in_handshake(target, dice):
    hello = target.client_hello()
    sock = target.socket()
    sock.sendall(hello[: dice.choice([3, 100, len(hello)])])
    time.sleep(dice.choice([0, 0.02]))
    reset(sock)


@kind("reset in a head", 0.15, fault=True)
def in_head(target, dice):
    wire = target.dial()
    wire.send(request("GET", target.home)[: dice.choice([1, 16, 30])])
    time.sleep(dice.choice([0, 0.02]))
    wire.reset()


@kind("reset in a body", 0.15, on=on("app", "proxy"), fault=True)
def in_body(target, dice):
    wire = target.dial()
    head = request("POST", "/echo", [f"Content-Length: {3_000_000}"])
    wire.send(head + bytes(dice.choice([0, 1, 100_000])))
    time.sleep(dice.choice([0, 0.02]))
    wire.reset()


@kind("reset before the answer", 0.15, fault=True)
def before_answer(target, _):
    wire = target.dial()
    wire.send(request("GET", target.home))
    wire.reset()


@kind("reset in an answer", 0.3, on=lambda target: target.large, fault=True)
def in_answer(target, _):
    wire = target.dial(narrow=True)
    wire.send(request("GET", target.large))
    wire.head()
    wire.reset()


@kind("reset while the upstream thinks", 0.3, on=on("proxy"), fault=True)
def while_it_thinks(target, _):
    wire = target.dial()
    wire.send(request("GET", "/slow"))
    time.sleep(0.05)
    wire.reset()


@kind("reset in a tunnel", 0.3, on=on("proxy"), fault=True)
def in_tunnel(target, _):
    wire = target.dial()
    if wire.ask("GET", "/tunnel", ["Connection: upgrade", "Upgrade: websocket"]).status == 101:
        wire.send(bytes(100_000))
    wire.reset()
