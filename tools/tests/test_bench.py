# SPDX-License-Identifier: GPL-2.0-only
"""A goal that is missed must be seen, and so must what got slower."""
import os
import sys
import unittest
from xml.etree import ElementTree

import toolbox

sys.path.append(os.path.join(toolbox.TOOLS, "bench"))
import chart  # noqa: E402
import rows  # noqa: E402


def row(**more):
    return rows.Row("x", "export", "an x", **more)


bench = toolbox.tool("bench/run")


class Boots(unittest.TestCase):
    def test_the_middle_of_several(self):
        runs = [{"x": [3.0, 0.1], "y": [1.0, 0]}, {"x": [1.0, 0.2], "y": [2.0, 0]}, {"x": [2.0, 0.3], "y": [9.0, 0]}]
        self.assertEqual(bench.middle_of(runs), {"x": [2.0, 0.3], "y": [2.0, 0]})
        self.assertEqual(bench.middle_of(runs[:1]), runs[0])

    def test_a_row_and_its_floor_are_compared_boot_by_boot(self):
        def boot(row, floor):
            return {"threads-import": [row, 0], "floor-threads-import": [floor, 0.5]}
        middle = bench.middle_of([boot(1.2, 1.6), boot(0.6, 0.6), boot(0.8, 1.0)])
        self.assertEqual(middle["threads-import"], [0.8, 0])
        self.assertAlmostEqual(middle["floor-threads-import"][0], 1.0)
        middle = bench.middle_of([boot(1.2, 0.8), boot(0.6, 0.3), boot(0.8, 1.0)])
        self.assertAlmostEqual(middle["floor-threads-import"][0], 0.8 / 1.5)

    def test_a_boot_without_a_figure(self):
        with self.assertRaises(bench.Stop):
            bench.middle_of([{"x": [1, 0], "y": [1, 0]}, {"x": [1, 0]}])


class Goals(unittest.TestCase):
    def met(self, a_row, stock, ours):
        return rows.evaluate(a_row, stock, ours).met

    def test_ratio(self):
        self.assertTrue(self.met(row(at_most=0.5), {"x": 200}, {"x": 100}))
        self.assertFalse(self.met(row(at_most=0.5), {"x": 200}, {"x": 101}))
        self.assertIsNone(self.met(row(), {"x": 200}, {"x": 100}))

    def test_floor_counts_where_the_goal_is_below_it(self):
        figures = {"x": 105, "low": 100}
        result = rows.evaluate(row(at_most=0.1, floor="low"), {"x": 200}, figures)
        self.assertEqual((result.met, result.verdict()), (True, "at the floor"))
        self.assertFalse(self.met(row(at_most=0.1, floor="low"), {"x": 200}, {**figures, "x": 106}))
        self.assertFalse(self.met(row(at_most=0.1, floor="low"), {"x": 200}, {"x": 105}))

    def test_floor_of_what_grows(self):
        flat = row(at_most=1.05, own=True, beside="few", floor="low-many", floor_beside="low-few")
        figures = {"x": 120, "few": 100, "low-many": 115, "low-few": 100}
        result = rows.evaluate(flat, {}, figures)
        self.assertEqual((result.floor, result.verdict()), (1.15, "at the floor"))
        self.assertFalse(self.met(flat, {}, {**figures, "x": 121}))
        self.assertFalse(self.met(flat, {}, {"x": 120, "few": 100, "low-many": 115}))

    def test_another_configuration_is_another_figure(self):
        plain = row(at_most=0.5, config=rows.PLAIN)
        self.assertIsNone(rows.evaluate(plain, {"x": 4}, {"x": 1}))
        self.assertTrue(self.met(plain, {"x-plain": 4}, {"x-plain": 1}))

    def test_own_figures(self):
        flat = row(at_most=1.05, own=True, beside="few")
        self.assertTrue(self.met(flat, {}, {"x": 105, "few": 100}))
        self.assertFalse(self.met(flat, {}, {"x": 106, "few": 100}))
        self.assertFalse(self.met(row(at_least=0.9, own=True), {}, {"x": 0.89}))

    def test_no_verdict_on_a_busy_machine(self):
        threads = row(at_least=0.9, own=True, only_if="loop")
        busy = rows.evaluate(threads, {}, {"x": 0.5, "loop": 1.1})
        self.assertEqual((busy.met, busy.verdict()), (None, "machine busy"))
        self.assertFalse(self.met(threads, {}, {"x": 0.5, "loop": 1.9}))

    def test_a_floor_of_what_is_gained(self):
        threads = row(at_least=0.9, own=True, floor="low")
        self.assertTrue(self.met(threads, {}, {"x": 0.80, "low": 0.84}))
        self.assertFalse(self.met(threads, {}, {"x": 0.79, "low": 0.84}))

    def test_busy_is_asked_of_the_same_configuration(self):
        threads = row(at_least=0.9, own=True, only_if="loop", config=rows.PLAIN)
        self.assertIs(self.met(threads, {}, {"x-plain": 0.5, "loop-plain": 1.9}), False)
        self.assertIsNone(self.met(threads, {}, {"x-plain": 0.5, "loop": 1.9, "loop-plain": 1.1}))


class Regressions(unittest.TestCase):
    def found(self, ours, accepted, **more):
        return rows.regressions([rows.evaluate(row(**more), {"x": 200}, {"x": ours})], {"x": accepted})

    def test_three_per_cent(self):
        self.assertEqual(self.found(103, 100), [])
        self.assertEqual(len(self.found(104, 100)), 1)
        self.assertEqual(len(self.found(0.90, 0.95, at_least=0.9, own=True)), 1)
        self.assertEqual(self.found(0.99, 0.95, at_least=0.9, own=True), [])

    def test_by_the_clock_is_not_held(self):
        self.assertEqual(self.found(200, 100, kept=False), [])

    def test_a_row_that_is_gone(self):
        self.assertEqual(len(rows.regressions([], {"poll": 1.0})), 1)

    def test_a_part_is_not_all(self):
        whole = [rows.evaluate(r, {}, {r.key(): 1}) for r in rows.ROWS if r.kept]
        self.assertEqual(rows.unmeasured(whole), [])
        self.assertEqual(rows.unmeasured(whole[1:]), [whole[0].row.key()])


class Output(unittest.TestCase):
    RESULTS = [rows.evaluate(row(at_most=0.5), {"x": 2000}, {"x": 1500}),
               rows.evaluate(row(), {"x": 10}, {"x": 1})]

    def test_table(self):
        text = "\n".join(rows.lines(self.RESULTS))
        self.assertRegex(text, r"an x +2,000 +1,500 +0\.75 +<= 0\.50 +not met")

    def test_chart(self):
        picture = ElementTree.fromstring(chart.draw("a < b", self.RESULTS))
        bars = picture.findall("{http://www.w3.org/2000/svg}rect")[1:]
        self.assertEqual([bar.get("fill") for bar in bars], [chart.COLOURS[False], chart.COLOURS[None]])
        self.assertAlmostEqual(float(bars[0].get("width")) / float(bars[1].get("width")), 7.5, 1)

    def test_keys_are_unique(self):
        keys = [r.key() for r in rows.ROWS]
        self.assertEqual(len(keys), len(set(keys)))

