"""Echoes WebSocket messages, and does what some of them ask for."""

import asyncio
import json
from http import HTTPStatus

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError


async def handler(socket):
    try:
        await converse(socket)
    except ConnectionClosedError:
        # So it is called by any other code than 1000 and 1001.
        pass
    print("left with", socket.close_code, socket.close_reason, flush=True)


async def converse(socket):
    async for message in socket:
        match message:
            case "ping me":
                await asyncio.wait_for(await socket.ping(), 10)
                await socket.send("ponged")
            case "fields":
                fields = {name.lower(): value for name, value in socket.request.headers.raw_items()}
                await socket.send(json.dumps(fields))
            case "close":
                await socket.close(4321, "as you wish")
            case "vanish":
                socket.transport.abort()
            case _:
                await socket.send(message)


def choose(connection, offered):
    return "echo.test" if "echo.test" in offered else None


def refuse(connection, request):
    if request.path == "/refused":
        return connection.respond(HTTPStatus.FORBIDDEN, "not here\n")


async def main():
    options = {"process_request": refuse, "select_subprotocol": choose, "max_size": 1 << 23}
    async with serve(handler, "127.0.0.1", 0, ping_interval=None, **options) as server:
        print("listening on", "http://%s:%d" % server.sockets[0].getsockname(), flush=True)
        await server.serve_forever()


asyncio.run(main())
