# SPDX-License-Identifier: GPL-2.0-only
"""The fuzzer's runner survives guests that do not, and its mutator stays within bounds."""
import contextlib
import ctypes
import io
import os
import shutil
import subprocess
import tempfile
import types
import unittest

from toolbox import TOOLS, tool

run = tool("fuzz/run")
STEP = run.STEP

KASAN = """[   12.3] ==================================================================
[   12.3] BUG: KASAN: slab-use-after-free in poll_slot_signaled+0x4d/0x90
[   12.3] Write of size 8 at addr ffff888012345678 by task fuzzer/77
[   12.4] Kernel panic - not syncing: KASAN: panic_on_warn set ...
"""


def record(number, data):
    return (run.RECORD.pack(number, len(data), 0) + data).ljust(run.RECORD_SIZE, b"\0")


class Inputs(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="fuzz-test.")
        self.addCleanup(shutil.rmtree, self.top)

    def file(self, name, data):
        path = os.path.join(self.top, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def test_lines_with_remarks(self):
        path = self.file("x.hex", b"# all of it\n0102  # two bytes\n\nff\n")
        self.assertEqual(run.inputs_of(path), [b"\1\2", b"\xff"])

    def test_a_line_that_is_none(self):
        with self.assertRaises(run.Stop):
            run.inputs_of(self.file("x.hex", b"no hexadecimal\n"))

    def test_any_other_file_is_one_input(self):
        self.assertEqual(run.inputs_of(self.file("crash-1", b"0102\n")), [b"0102\n"])

    def test_the_last_inputs_oldest_first(self):
        data = record(8, b"eight") + record(9, b"nine") + record(7, b"")
        self.assertEqual(run.last_inputs(self.file("last", data)),
                         [(7, b""), (8, b"eight"), (9, b"nine")])

    def test_a_record_that_the_guest_did_not_finish(self):
        data = record(1, b"one") + run.RECORD.pack(2, 500, 0) + b"cut"
        self.assertEqual(run.last_inputs(self.file("last", data)), [(1, b"one")])

    def test_slots_that_were_never_used(self):
        self.assertEqual(run.last_inputs(self.file("last", bytes(run.RECORD_SIZE) + record(1, b"one"))),
                         [(1, b"one")])

    def test_new_inputs_are_told_from_known_ones(self):
        self.assertEqual(run.add_inputs(self.top, [b"a", b"b", b"a"]), [b"a", b"b"])
        self.assertEqual(run.add_inputs(self.top, [b"b", b"c"]), [b"c"])
        self.assertEqual(set(run.files_in(self.top)), {b"a", b"b", b"c"})


class Titles(unittest.TestCase):
    def test_what_was_found_is_named_after_its_place(self):
        self.assertEqual(run.title_of(KASAN, 125), "BUG: KASAN: slab-use-after-free in poll_slot_signaled")

    def test_what_differs_each_time_is_left_out(self):
        one = "WARNING: CPU: 1 PID: 5 at drivers/dma-buf/dma-buf.c:99 dma_buf_put+0x1/0x2\n"
        two = "WARNING: CPU: 0 PID: 6 at drivers/dma-buf/dma-buf.c:99 dma_buf_put+0x1/0x2 [x]\n"
        self.assertEqual(run.title_of(one, 125), run.title_of(two, 125))

    def test_a_warning_without_a_line(self):
        one = "WARNING: CPU: 0 PID: 56 at dma_buf_release+0x12b/0x140\n"
        self.assertEqual(run.title_of(one, 125), "WARNING dma_buf_release")
        self.assertEqual(run.title_of("refcount_t: underflow; use-after-free.\n" + one, 125),
                         "refcount_t: underflow; use-after-free.")

    def test_what_libfuzzer_says_anyway_is_no_title(self):
        said = ("INFO: Running with entropic power schedule (0xFF, 100).\n"
                'WARNING: Failed to find function "__sanitizer_acquire_crash_state".\n')
        self.assertEqual(run.title_of(said, 124), "the guest hangs")

    def test_a_replay_finds_the_same(self):
        self.assertEqual(run.title_of("not ok 1 - replay.hex: 1 inputs: line 1: 3 buffers left, 0 before\n", 1),
                         "3 buffers left, 0 before")

    def test_a_silent_end(self):
        self.assertEqual(run.title_of("", 124), "the guest hangs")
        self.assertEqual(run.title_of("", 125), "the guest dies")

    def test_an_invariant_comes_before_all_else(self):
        self.assertEqual(run.title_of("fuzz: FINDING: 3 buffers left, 0 before\nERROR: libFuzzer: deadly signal", 77),
                         "3 buffers left, 0 before")


class Reduction(unittest.TestCase):
    def test_what_it_takes_stays_and_nothing_else(self):
        for needed in ({3}, {0, 9}, {4, 5, 6}, set(range(10))):
            tries = []

            def bad(steps):
                tries.append(steps)
                return needed <= set(steps)
            self.assertEqual(set(run.least(list(range(10)), bad)), needed)
            self.assertLess(len(tries), 40)

    def test_one_step_is_left_when_none_matters(self):
        self.assertEqual(len(run.least(list(range(7)), lambda steps: True)), 1)


class Corpus(unittest.TestCase):
    def test_all_that_is_reached_stays_reached(self):
        reached = [(b"1" * 80, {1, 2, 3}), (b"2" * 8, {1, 2}), (b"3" * 8, {3}), (b"4" * 8, {3}), (b"5" * 8, set())]
        kept = run.fewest(reached)
        self.assertEqual(set().union(*(what for data, what in reached if data in kept)), {1, 2, 3})
        self.assertEqual(len(kept), 2)
        self.assertIn(b"2" * 8, kept)
        self.assertEqual(run.fewest(reached, {1, 2, 3}), [])
        self.assertEqual(run.fewest(reached, {1, 2}), [max(b"3" * 8, b"4" * 8)])


class FakeGuest:
    """Ends as it is told to, and leaves what a guest would have left."""
    ends = []

    def __init__(self, _job, _limit, tell=None, more=()):
        self.code, self.text, files = self.ends.pop(0)
        self.why = ""
        self.out = tempfile.mkdtemp(dir=run.OUT)
        os.mkdir(os.path.join(self.out, "new"))
        for name, data in files.items():
            with open(os.path.join(self.out, name), "wb") as f:
                f.write(data)
        for line in self.text.splitlines() if tell else ():
            tell(line)

    read, all_text, remove = run.Guest.read, run.Guest.all_text, run.Guest.remove


class Sessions(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="fuzz-test.")
        self.addCleanup(shutil.rmtree, self.top)
        for name, value in (("OUT", self.top), ("CORPUS", os.path.join(self.top, "corpus")),
                            ("FINDINGS", os.path.join(self.top, "findings")), ("Guest", FakeGuest),
                            ("TREE", self.top)):
            self.addCleanup(setattr, run, name, getattr(run, name))
            setattr(run, name, value)

    def session(self, *ends):
        FakeGuest.ends = list(ends)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            session = run.Session()
            started = [session.fuzz(10) for _ in ends]
            code = session.close()
        return started, code, said.getvalue()

    def test_nothing_found(self):
        started, code, said = self.session(
            (0, "fuzz: 10 s, 50 executions, 5/s, 2 covered",
             {"last": record(70, b"x"), "covered": b"ffff1\nffff2\n", "new/a": b"a"}),
            (0, "", {"last": record(30, b"x"), "covered": b"ffff2\nffff3\n", "new/a": b"a"}))
        self.assertEqual((started, code), ([True, True], 0))
        self.assertIn("50 executions, 5/s, 2 of", said)
        self.assertIn("1 new inputs, 1 in", said)
        self.assertTrue(said.endswith("100 executions, 3 covered, 0 findings\n"), said)

    def test_the_input_survives_the_guest(self):
        died = (125, "", {"last": record(2, b"\2") + record(1, b"\1"), "console": KASAN.encode()})
        started, code, said = self.session(died, died)
        self.assertEqual((started, code), ([True, True], 1))
        self.assertIn("2 times: BUG: KASAN", said)
        self.assertTrue(said.endswith("4 executions, 0 covered, 1 findings\n"), said)
        where = os.path.join(run.FINDINGS, "BUG-KASAN-slab-use-after-free-in-poll_slot_signaled")
        self.assertEqual(run.inputs_of(os.path.join(where, "input.hex")), [b"\2"])
        self.assertEqual(run.inputs_of(os.path.join(where, "before.hex")), [b"\1"])

    def test_a_leak_is_found_among_the_new_inputs(self):
        FakeGuest.ends = [(0, "", {"last": record(1, b"x"), "new/a": b"a", "new/b": b"b"}),
                          (1, "not ok 1 - no leaks\n# unreferenced object 0xffff888012345678 (size 32):\n", {})]
        with contextlib.redirect_stdout(io.StringIO()):
            session = run.Session()
            session.fuzz(10)
            session.leaks(30)
            self.assertEqual(session.close(), 1)
        self.assertEqual(set(run.inputs_of(os.path.join(run.FINDINGS, "unreferenced-object/input.hex"))), {b"a", b"b"})

    def test_what_is_kept(self):
        kept, seeds = (os.path.join(self.top, name) for name in ("corpus.hex", "seeds.hex"))
        for name, value in (("KEPT", kept), ("SEEDS", seeds)):
            self.addCleanup(setattr, run, name, getattr(run, name))
            setattr(run, name, value)
        inputs = {b"1" * 8: "b1 b2 a7 e1", b"2" * 8: "b1 a7 e2", b"3" * 8: "b1 a8 e1", b"4" * 8: "b2 a7 e1 e2"}
        run.write_lines(kept, [b"1" * 8])
        run.write_lines(seeds, [b"2" * 8])
        # in the order of the files' names, as the guest runs them
        run.add_inputs(run.CORPUS, inputs)
        reached = "".join(inputs[data] + "\n" for data in run.files_in(run.CORPUS))
        FakeGuest.ends = [(0, "", {"reached": reached.encode()})]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(run.keep(), 0)
        everything = "2 blocks, 2 answers, 2 steps between blocks\n"
        self.assertTrue(said.getvalue().startswith(f"before: 4 inputs reach {everything}"), said.getvalue())
        self.assertTrue(said.getvalue().endswith(everything), said.getvalue())
        words = set(" ".join(inputs[data] for data in run.lines_of(kept)).split())
        self.assertTrue({"b1", "b2"} <= words, words)
        self.assertEqual(len(run.lines_of(kept)), 1)
        words = set(" ".join(inputs[data] for data in run.kept_inputs()).split())
        self.assertEqual(words, {"b1", "b2", "a7", "a8", "e1", "e2"})

    def minutes(self, minutes, guest_takes):
        """How long each guest is told to fuzz, where a guest takes that much longer."""
        now, told = [0.0], []

        def fuzz(_session, seconds):
            told.append(seconds)
            now[0] += seconds + guest_takes
            return True
        for name, value in (("fuzz", fuzz), ("leaks", lambda _, seconds: now.append(seconds))):
            self.addCleanup(setattr, run.Session, name, getattr(run.Session, name))
            setattr(run.Session, name, value)
        clock, run.time = run.time, types.SimpleNamespace(monotonic=lambda: now[0])
        self.addCleanup(setattr, run, "time", clock)
        with contextlib.redirect_stdout(io.StringIO()):
            run.fuzz(minutes)
        return told, now[0] + now[1]

    def test_the_time_is_kept(self):
        for minutes, guests in ((5, 1), (15, 2), (60, 6)):
            told, took = self.minutes(minutes, run.GUEST_BOOT)
            self.assertEqual(len(told), guests)
            self.assertLessEqual(max(told), run.GUEST_MINUTES * 60)
            self.assertLessEqual(took, minutes * 60)
            self.assertGreater(sum(told), minutes * 60 * 0.6)

    def test_a_short_time_is_one_guest(self):
        self.assertEqual(self.minutes(0.5, run.GUEST_BOOT)[0], [run.GUEST_LEAST])

    def test_a_guest_that_never_ran_an_input_is_no_finding(self):
        started, code, said = self.session((1, "modprobe: no such module", {}))
        self.assertEqual((started, code), ([False], 0))
        self.assertIn("no such module", said)


class Mutator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="fuzz-test.")
        cls.addClassCleanup(shutil.rmtree, cls.top)
        stub, library = os.path.join(cls.top, "stub.c"), os.path.join(cls.top, "mutate.so")
        with open(stub, "w") as f:
            f.write("unsigned char op_choose(unsigned int random) { return random % 71; }\n")
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library,
                        os.path.join(TOOLS, "fuzz/mutate.c"), stub], check=True)
        cls.library = ctypes.CDLL(library)
        cls.library.mutate.restype = cls.library.mutate_join.restype = ctypes.c_size_t

    def mutate(self, data, most, seed):
        room = ctypes.create_string_buffer(data, most * STEP + STEP)
        guard = room.raw[most * STEP:]
        count = self.library.mutate(room, ctypes.c_size_t(len(data) // STEP), ctypes.c_size_t(most),
                                    ctypes.c_uint64(seed))
        self.assertLessEqual(count, most)
        self.assertEqual(room.raw[most * STEP:], guard)
        return room.raw[:count * STEP]

    def test_every_kind_of_change_happens_and_none_goes_too_far(self):
        data = bytes(range(4 * STEP))
        lengths, inside = set(), False
        for seed in range(3000):
            got = self.mutate(data, 5, seed)
            lengths.add(len(got) // STEP)
            inside |= len(got) == len(data) and got != data
            for at in range(0, len(got), STEP):
                # a step keeps its operation or gets one there is
                self.assertTrue(got[at] & 0x7f < 71 or got[at] in data, got[at])
        self.assertTrue({3, 4, 5} <= lengths, lengths)
        self.assertTrue(inside)

    def test_something_from_nothing(self):
        self.assertEqual(len(self.mutate(b"", 4, 7)) % STEP, 0)
        self.assertGreater(len(self.mutate(b"", 4, 7)), 0)
        self.assertEqual(self.mutate(b"", 0, 7), b"")

    def test_the_beginning_of_one_and_the_end_of_the_other(self):
        first, second = bytes([1] * STEP * 3), bytes([2] * STEP * 3)
        kinds = set()
        for seed in range(200):
            out = ctypes.create_string_buffer(5 * STEP)
            count = self.library.mutate_join(first, ctypes.c_size_t(3), second, ctypes.c_size_t(3), out,
                                             ctypes.c_size_t(5), ctypes.c_uint64(seed))
            self.assertLessEqual(count, 5)
            steps = [out.raw[i * STEP] for i in range(count)]
            self.assertEqual(steps, sorted(steps))
            kinds.add(frozenset(steps))
        self.assertIn(frozenset({1, 2}), kinds)
