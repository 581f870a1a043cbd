"""Reads what is meant for Prometheus as its library does, and prints each series with its value."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

samples = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if not family.documentation or family.type == "unknown":
        sys.exit(f"{family.name} has no help or no type")
    for sample in family.samples:
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
        series = f"{sample.name}{{{labels}}}" if labels else sample.name
        if series in samples:
            sys.exit(f"{series} stands twice")
        samples[series] = sample.value
json.dump(samples, sys.stdout)
