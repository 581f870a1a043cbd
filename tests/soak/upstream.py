#!/usr/bin/env python3
"""An app behind turnkey, with bad manners on demand.

upstream.py PORT [CHAIN KEY]
"""

import asyncio
import hashlib
import json
import ssl
import sys

# Longer than the servers' --proxy-timeout.
SLOW = 6
LARGE = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1 << 19))


async def serve(reader, writer):
    try:
        while await exchange(reader, writer):
            pass
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def exchange(reader, writer):
    """One request and its answer. Returns whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    fields = {}
    for line in head[1:-2]:
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), []).append(value.strip())
    body = await read_body(reader, fields)
    if path == "/tunnel":
        return await tunnel(reader, writer)
    if path in BAD:
        return await BAD[path](writer)
    if path == "/chunked":
        piece = b"4000\r\n" + LARGE[:0x4000] + b"\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(piece * 8 + b"0\r\n\r\n")
        await writer.drain()
        return True
    content = {
        "/": b"upstream",
        "/echo": body,
        "/large": LARGE,
        "/seen": json.dumps(fields).encode(),
    }.get(path)
    status = b"404 Not Found" if content is None else b"200 OK"
    content = content or b""
    writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(content)))
    if method != "HEAD":
        writer.write(content)
    await writer.drain()
    return True


async def read_body(reader, fields):
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"][0]))
    body = b""
    if "transfer-encoding" in fields:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    return body


async def tunnel(reader, writer):
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    return False


async def slow(writer):
    await asyncio.sleep(SLOW)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return True


async def close(_):
    return False


async def break_off(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
    await writer.drain()
    return False


async def malformed(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
    await writer.drain()
    return False


BAD = {"/slow": slow, "/close": close, "/break": break_off, "/malformed": malformed}


async def main():
    port, *identity = sys.argv[1:]
    context = None
    if identity:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*identity)
    server = await asyncio.start_server(serve, "127.0.0.1", int(port), ssl=context, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
