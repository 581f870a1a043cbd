"""Each check of the soak can fail: here it does, once."""

import sys
import time
import unittest
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "benches"), str(ROOT / "tests" / "soak")]

from soaking import crew, judge, log  # noqa: E402
from soaking.gauge import Sample  # noqa: E402
from soaking.http import Answer, Ended, Wrong  # noqa: E402
from soaking.ledger import Ledger  # noqa: E402

MIB = 1 << 20


def samples(*sizes):
    """One each second, of these sizes in bytes."""
    return [Sample(when, size, 10, 2, 0.0) for when, size in enumerate(sizes)]


class Quiet(Ledger):
    """Errors are what is tested, and are not printed."""

    def error(self, where, what):
        self.errors[where] += 1
        self.told[where].append(what)


class Memory(unittest.TestCase):
    def judged(self, *sizes, seconds=400):
        return judge.memory("s", judge.quarters(samples(*sizes), 0, len(sizes)), seconds)

    def test_flat_memory_passes(self):
        self.assertEqual(self.judged(*[5 * MIB] * 400), [])

    def test_a_leak_fails(self):
        leak = [5 * MIB + 3 * 1024 * second for second in range(400)]
        self.assertIn("grew", self.judged(*leak)[0])

    def test_one_step_within_what_is_allowed_passes(self):
        self.assertEqual(self.judged(*[5 * MIB] * 200, *[5 * MIB + (700 << 10)] * 200), [])
        self.assertNotEqual(self.judged(*[5 * MIB] * 200, *[5 * MIB + (800 << 10)] * 200), [])

    def test_nothing_measured_fails(self):
        self.assertIn("not measured", judge.memory("s", [None] * 4, 400)[0])

    def test_warm_up_is_not_judged(self):
        self.assertEqual([judge.warm_up(60), judge.warm_up(3600)], [60, 360])


class OtherFigures(unittest.TestCase):
    def test_descriptors_that_are_left_fail(self):
        self.assertEqual(judge.descriptors("s", 14, 14), [])
        self.assertIn("15 descriptors", judge.descriptors("s", 14, 15)[0])

    def test_a_probe_that_waits_fails(self):
        self.assertEqual(judge.latency("s", [0.1, 4.9]), [])
        self.assertIn("5.1 s", judge.latency("s", [0.1, 5.1])[0])
        self.assertIn("never", judge.latency("s", [])[0])

    def test_a_server_that_fails_at_its_end_fails(self):
        ends = [SimpleNamespace(name=str(code), exit=code) for code in (0, 1, -6, None)]
        self.assertEqual(len(judge.exits(ends)), 3)

    def test_clients_that_never_came_fail(self):
        self.assertEqual(len(judge.idle_kinds([SimpleNamespace(name="x")], Counter())), 1)


class Logs(unittest.TestCase):
    def setUp(self):
        self.ledger = Quiet()
        self.log = log.Log.__new__(log.Log)
        self.log.name, self.log.ledger, self.log.format = "s", self.ledger, "common"
        self.log.seen, self.log.statuses = Counter(), Counter()
        self.log.changed = log.threading.Condition()

    def test_a_line_that_nobody_injected_is_an_error(self):
        self.log.log_line("error: request 1.1: the handler panicked: oh")
        self.log.log_line("thread 'main' panicked at src/main.rs:1:1:")
        self.assertEqual(self.ledger.errors["log"], 2)

    def test_a_line_is_good_only_after_its_injection(self):
        line = "info: 127.0.0.1:9: refused: the client sent no certificate, and one is required"
        self.log.log_line(line)
        self.assertEqual(self.ledger.errors["log"], 1)
        with self.ledger.during("no certificate", "another server"):
            self.log.log_line(line)
        self.assertEqual(self.ledger.errors["log"], 2)
        with self.ledger.during("no certificate", "s"):
            self.log.log_line(line)
        self.assertEqual(self.ledger.errors["log"], 2)

    def test_an_upstream_that_dies_in_a_handshake_resets(self):
        line = "error: request 1.1: the upstream https://a: cannot be reached: Connection reset by peer"
        self.log.log_line(line)
        self.assertEqual(self.ledger.errors["log"], 1)
        with self.ledger.during("upstream dies", "s"):
            self.log.log_line(line)
        self.assertEqual(self.ledger.errors["log"], 1)

    def test_a_500_and_a_line_of_another_form_are_errors(self):
        good = '127.0.0.1 - - [25/Nov/2026:13:28:26 +0000] "GET / HTTP/1.1" 200 17'
        self.log.access_line(good)
        self.assertEqual(self.ledger.errors["access log"], 0)
        self.log.access_line(good.replace("200", "500"))
        self.log.access_line(good[:30])
        self.assertEqual(self.ledger.errors["access log"], 2)


class Answers(unittest.TestCase):
    alone = SimpleNamespace(upstreams=("one",))

    def visited(self, visit, injected=None):
        ledger = Quiet()
        server = SimpleNamespace(name="s", spec=self.alone)
        target = SimpleNamespace(name="s", server=server)
        workers = crew.Crew.__new__(crew.Crew)
        workers.ledger = ledger
        if injected:
            with ledger.during(injected, "s"):
                pass
        each = crew.Kind("k", visit, None, 1, False)
        workers.visit(each, target, None)
        return ledger

    def test_another_answer_is_an_error(self):
        for answer in (Answer(500, {}, b"ok"), Answer(200, {}, b"k.o.")):
            ledger = self.visited(lambda *_, answer=answer: answer.must_be(200, b"ok"))
            self.assertEqual(ledger.errors["k"], 1)
        self.assertFalse(self.visited(lambda *_: Answer(200, {}, b"ok").must_be(200, b"ok")).errors)

    def test_an_outage_excuses_a_502_and_nothing_else(self):
        def fail(error):
            def visit(*_):
                raise error

            return visit

        self.assertTrue(self.visited(fail(Wrong("gone", 502))).errors)
        self.assertFalse(self.visited(fail(Wrong("gone", 502)), "upstream dies").errors)
        self.assertFalse(self.visited(fail(Ended("gone")), "upstream dies").errors)
        self.assertTrue(self.visited(fail(Wrong("bad", 200)), "upstream dies").errors)

    def test_who_reads_slowly_learns_of_an_outage_late(self):
        ledger = Quiet()
        ledger.last["upstream dies", "s"] = time.monotonic() - 10
        target = SimpleNamespace(name="s", server=SimpleNamespace(name="s", spec=self.alone))
        self.assertTrue(crew.excuse(ledger, target, Ended("gone"), lasted=8))
        self.assertFalse(crew.excuse(ledger, target, Ended("gone"), lasted=2))
        self.assertFalse(crew.excuse(ledger, target, Wrong("gone", 502), lasted=8))


if __name__ == "__main__":
    unittest.main()
