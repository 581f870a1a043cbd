"""Reads lines of Apache's log formats with the patterns that everybody uses, and prints them as JSON."""

import datetime
import json
import re
import sys

COMMON = (
    r'(?P<host>\S+) (?P<identity>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] '
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)'
)
COMBINED = COMMON + (
    r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<user_agent>(?:[^"\\]|\\.)*)"'
)

pattern = re.compile(COMBINED if sys.argv[1] == "combined" else COMMON)
lines = []
for line in sys.stdin.read().splitlines():
    match = pattern.fullmatch(line)
    if match is None:
        sys.exit(f"no line of the format: {line!r}")
    fields = match.groupdict()
    time = datetime.datetime.strptime(fields.pop("time"), "%d/%b/%Y:%H:%M:%S %z")
    fields["age"] = (datetime.datetime.now(datetime.timezone.utc) - time).total_seconds()
    lines.append(fields)
json.dump(lines, sys.stdout)
