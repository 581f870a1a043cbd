"""The app of the recipe, which lets in whom it knows by their certificates, as the proxy tells of them.
ALLOWED has their fingerprints. Run as a program it is served by Flask's own server."""

import base64
import hashlib
import os

from flask import Flask, abort, request

app = application = Flask(__name__)
allowed = os.environ.get("ALLOWED", "").split()


@app.route("/")
def main():
    return "Top-level content"


@app.route("/private")
def private():
    if request.headers.get("X-Client-Verify") != "SUCCESS":
        abort(401)
    fingerprint = request.headers["X-Client-Fingerprint"]
    # RFC 9440: a byte sequence, between colons.
    certificate = base64.b64decode(request.headers["Client-Cert"].strip(":"), validate=True)
    digest = hashlib.sha256(certificate).hexdigest().upper()
    if digest != fingerprint.replace(":", ""):
        abort(500)
    if fingerprint not in allowed:
        abort(403)
    return "for " + request.headers["X-Client-Subject"]


if __name__ == "__main__":
    from werkzeug import serving

    serving.run_simple("127.0.0.1", 0, app)
