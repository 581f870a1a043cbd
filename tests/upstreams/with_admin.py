"""A browser's part in Django's admin: URL, password, CA, and perhaps a certificate and its key. Prints
a word for each part that went well. CONNECT_TO is the address to which it connects instead of the URL's."""

import os
import sys
from urllib.parse import urljoin

import requests
import urllib3.util.connection

if address := os.environ.get("CONNECT_TO"):
    connect = urllib3.util.connection.create_connection
    urllib3.util.connection.create_connection = lambda to, *rest, **options: connect(
        (address, to[1]), *rest, **options
    )

url, password, ca, *identity = sys.argv[1:]
origin = url.rstrip("/")

session = requests.Session()
session.trust_env = False
session.verify = ca
session.cert = tuple(identity) or None


def assert_stays(answer):
    """Neither the answer nor any redirect on the way to it leaves https, or the host."""
    for step in [*answer.history, answer]:
        assert step.url.startswith(url), f"strayed to {step.url}"
        target = urljoin(step.url, step.headers.get("Location", ""))
        assert target.startswith(url), f"sent on to {target}"
    return answer


def assert_secure(name):
    cookies = [cookie for cookie in session.cookies if cookie.name == name]
    assert len(cookies) == 1, f"{name}: {list(session.cookies)}"
    assert cookies[0].secure, f"{name} without Secure: {cookies[0]}"


def submit(path, form, **headers):
    """What a browser sends for a form on the page at `path`."""
    form = {**form, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    headers = {"Origin": origin, "Referer": url + path, **headers}
    return session.post(url + path, data=form, headers=headers, timeout=20)


page = assert_stays(session.get(url + "admin/", timeout=20))
assert page.url == url + "admin/login/?next=/admin/", page.url
assert page.status_code == 200 and [step.status_code for step in page.history] == [302]
assert_secure("csrftoken")
print("asked to log in")

login = {"username": "admin", "password": password, "next": "/admin/"}
for elsewhere in [origin.replace("https:", "http:"), "https://elsewhere.test", "null"]:
    refused = submit("admin/login/", login, Origin=elsewhere)
    assert refused.status_code == 403 and "CSRF" in refused.text, (elsewhere, refused.text)
refused = submit("admin/login/", {**login, "password": "wrong"})
assert refused.status_code == 200 and "sessionid" not in session.cookies, refused.status_code
print("refused")

page = assert_stays(submit("admin/login/", login))
assert [step.status_code for step in page.history] == [302], page.history
assert page.url == url + "admin/" and "Site administration" in page.text, page.url
assert_secure("sessionid")
assert_secure("csrftoken")
print("logged in")

add = "admin/auth/group/add/"
assert_stays(session.get(url + add, timeout=20)).raise_for_status()
group = f"Readers {os.urandom(4).hex()}"
page = assert_stays(submit(add, {"name": group}))
assert page.url == url + "admin/auth/group/" and group in page.text, page.url
print("added")

page = assert_stays(session.get(url + "away", timeout=20))
assert page.url == url + "seen" and page.json()["secure"], page.text
print("sent on")

page = assert_stays(submit("admin/logout/", {}))
assert "sessionid" not in session.cookies, list(session.cookies)
page = assert_stays(session.get(url + "admin/", timeout=20))
assert page.url == url + "admin/login/?next=/admin/", page.url
print("logged out")
