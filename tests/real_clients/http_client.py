"""http.client against the built-in app: URL, CA. Prints a word for each part that went well."""

import http.client
import json
import ssl
import sys
import urllib.parse

url, ca = sys.argv[1:]
at = urllib.parse.urlsplit(url)


def connect():
    if at.scheme == "http":
        return http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    context = ssl.create_default_context(cafile=ca)
    return http.client.HTTPSConnection(at.hostname, at.port, timeout=10, context=context)


connection = connect()
peers = set()
for _ in range(50):
    connection.request("GET", "/whoami")
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    peers.add(json.load(answer)["peer"])
    answer.read()
assert len(peers) == 1, peers
print("get")

pieces = [b"some", b"more" * 10_000, b"x"] * 5
for body, fields, chunked in [
    (b"".join(pieces), {}, False),
    (iter(pieces), {"Transfer-Encoding": "chunked"}, True),
]:
    connection.request("POST", "/echo", body=body, headers=fields, encode_chunked=chunked)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    assert answer.read() == b"".join(pieces)
print("upload")

# It passes over `100 Continue`, but sends without waiting for it.
connection.request("POST", "/echo", body=b"body", headers={"Expect": "100-continue"})
answer = connection.getresponse()
assert (answer.status, answer.read()) == (200, b"body"), answer.status
connection.close()
print("expect")
