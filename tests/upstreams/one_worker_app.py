"""Answers with the length of what it got, or with as much as it is asked for."""


def application(environ, start_response):
    query = environ.get("QUERY_STRING", "")
    if query:
        body = b"x" * int(query)
    else:
        got = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = b"%d" % len(got)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
