"""requests against the built-in app: URL, CA, and perhaps a certificate and its key. Prints a word
for each part that went well."""

import sys

import requests

url, ca, *identity = sys.argv[1:]


def new_session():
    session = requests.Session()
    session.trust_env = False
    session.verify = ca
    session.cert = tuple(identity) or None
    # No second try: what fails has failed.
    session.mount(url, requests.adapters.HTTPAdapter(max_retries=0))
    return session


session = new_session()
facts = [session.get(url + "whoami", timeout=10).json() for _ in range(50)]
assert len({fact["peer"] for fact in facts}) == 1, "one connection for requests in a row"
print("session")

pieces = [b"some", b"more" * 10_000, b"x"] * 5
for body in [b"".join(pieces), (piece for piece in pieces)]:
    answer = session.post(url + "echo", data=body, timeout=10)
    answer.raise_for_status()
    assert answer.content == b"".join(pieces)
assert session.get(url + "whoami", timeout=10).json()["peer"] == facts[0]["peer"]
print("upload")

for _ in range(20):
    answer = new_session().get(url, headers={"Connection": "close"}, timeout=10)
    assert (answer.status_code, answer.text) == (200, "Top-level content"), answer
print("single")

if identity:
    assert facts[0]["client_certificate"]["common_name"] == "client.localhost", facts[0]
    print("certificate")
