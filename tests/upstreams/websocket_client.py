"""WebSockets through the proxy: URL, CA, and perhaps a certificate and its key. Prints a word for each
part that went well."""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

url, ca, *identity = sys.argv[1:]
url = url.replace("https:", "wss:")
trust = ssl.create_default_context(cafile=ca)
if identity:
    trust.load_cert_chain(*identity)


def dial(path="", **options):
    options = {"ssl": trust, "proxy": None, "ping_interval": None, "max_size": 1 << 23, **options}
    return connect(url + path, **options)


async def echoes(socket, message):
    await socket.send(message)
    answer = await socket.recv()
    assert answer == message, f"{len(answer)} of {len(message)}"


async def messages():
    for compression in ["deflate", None]:
        async with dial(compression=compression) as socket:
            for size in [0, 1, 125, 126, 65_535, 65_536, 5_000_000]:
                await echoes(socket, "ü" * (size // 2) + "x" * (size % 2))
                await echoes(socket, bytes(range(256)) * (size // 256) + b"x" * (size % 256))
            await socket.send(["in ", "several ", "frames"])
            assert await socket.recv() == "in several frames"
            # Many under way, in both directions.
            for n in range(200):
                await socket.send(f"{n}" * 1000)
            for n in range(200):
                assert await socket.recv() == f"{n}" * 1000


async def pings():
    async with dial() as socket:
        latency = await (await socket.ping(b"are you there"))
        assert 0 <= latency < 5, latency
        await socket.send("ping me")
        assert await socket.recv() == "ponged"


async def quiet():
    """For longer than any other connection may be without a request or an answer."""
    async with dial() as socket:
        await asyncio.sleep(2.5)
        await echoes(socket, "still there")


async def fields():
    forged = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.66", "Origin": "https://a.test"}
    forged["X-Client-Verify"] = "SUCCESS"
    async with dial(additional_headers=forged, subprotocols=["other.test", "echo.test"]) as socket:
        assert socket.subprotocol == "echo.test", socket.subprotocol
        await socket.send("fields")
        seen = json.loads(await socket.recv())
    assert seen["x-forwarded-proto"] == "https" and seen["x-forwarded-for"] == "127.0.0.1", seen
    assert seen.get("x-client-verify") == ("SUCCESS" if identity else None), seen
    assert seen["origin"] == "https://a.test", seen


async def closing():
    async with dial() as socket:
        await socket.close(4999, "enough")
    assert (socket.close_code, socket.close_reason) == (4999, "enough"), socket.close_code
    async with dial() as socket:
        await socket.send("close")
        await socket.wait_closed()
    assert (socket.close_code, socket.close_reason) == (4321, "as you wish"), socket.close_code
    # Nobody makes up a closing that the other side has not said.
    async with dial() as socket:
        await socket.send("vanish")
        await socket.wait_closed()
    assert socket.close_code == 1006, socket.close_code


async def refusal():
    try:
        async with dial("refused"):
            raise AssertionError("let in")
    except InvalidStatus as refused:
        answer = refused.response
        assert (answer.status_code, answer.body) == (403, b"not here\n"), answer


async def several():
    async def one(n):
        async with dial() as socket:
            for m in range(20):
                await echoes(socket, f"{n} {m}" * 100)

    await asyncio.gather(*[one(n) for n in range(20)])


async def main():
    for part in [messages, pings, quiet, fields, closing, refusal, several]:
        await asyncio.wait_for(part(), 40)
        print(part.__name__, flush=True)


try:
    asyncio.run(main())
except ConnectionClosed as closed:
    sys.exit(f"closed too early: {closed}")
