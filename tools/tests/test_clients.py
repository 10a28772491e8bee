# SPDX-License-Identifier: GPL-2.0-only
"""Clients: pictures and their checksums, and how results of two kernels are judged."""
import os
import re
import sys
import tempfile
import unittest
import unittest.mock

from toolbox import TOOLS, tool

sys.path.insert(0, os.path.join(TOOLS, "clients"))
import catalogue  # noqa: E402
import desktop  # noqa: E402
import machine  # noqa: E402
import pixels  # noqa: E402
import video  # noqa: E402

run = tool("clients/run")

PASSED, FAILED = run.Result("passed", 3, ""), run.Result("failed", 4, "no picture")


def checksum_by_bits(data):
    """CRC-32 as the kernel's crc32_le() makes it from 0: neither end is inverted."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xedb88320 if crc & 1 else 0)
    return crc


class Pictures(unittest.TestCase):
    def setUp(self):
        self.picture = pixels.pattern(64, 48)

    def test_the_checksum_is_the_kernel_s(self):
        self.assertEqual(self.picture.crc(), checksum_by_bits(self.picture.argb))

    def test_a_pixel_is_as_vkms_has_it(self):
        # XRGB8888 in memory is blue, green, red; the last byte is nobody's
        picture = pixels.raw(bytes((0x10, 0x20, 0x30, 0x99)), "XR24", 1, 1)
        self.assertEqual(picture.argb.hex(), "ffff303020201010")

    def test_formats_of_a_frame_agree(self):
        red, green, blue = self.picture.colours()
        xr24, rgb3 = bytearray(4 * 64 * 48), bytearray(3 * 64 * 48)
        xr24[2::4], xr24[1::4], xr24[0::4] = red, green, blue
        rgb3[0::3], rgb3[1::3], rgb3[2::3] = red, green, blue
        self.assertEqual(pixels.raw(bytes(xr24), "XR24", 64, 48), self.picture)
        self.assertEqual(pixels.raw(bytes(rgb3), "RGB3", 64, 48), self.picture)
        self.assertEqual(pixels.ppm(self.picture.ppm()), self.picture)

    def test_a_frame_that_is_too_short_is_none(self):
        with self.assertRaises(ValueError):
            pixels.raw(bytes(11), "RGB3", 2, 2)

    def test_one_pixel_makes_another_picture(self):
        spoiled = self.picture.spoiled()
        self.assertNotEqual(spoiled, self.picture)
        self.assertNotEqual(spoiled.crc(), self.picture.crc())
        self.assertEqual(sum(a != b for a, b in zip(zip(*spoiled.colours()), zip(*self.picture.colours()))), 1)

    def test_16_bits_are_scaled_to_the_full_value(self):
        white, black = pixels.of_565(2, 1, bytes((0xff, 0xff, 0, 0))).part(0, 0, 1, 1), pixels.of_565(1, 1, bytes(2))
        self.assertEqual(white.argb.hex(), "ff" * 8)
        self.assertEqual(black.argb.hex(), "ffff" + "00" * 6)
        # a red of 16 of 31 is 33824.5 of 65535, a green of 1 of 63 is 1040.2
        self.assertEqual(pixels.of_565(1, 1, (16 << 11 | 1 << 5).to_bytes(2, "little")).argb[2:6],
                         (16 * 65535 // 31 + 1).to_bytes(2, "little") + (1040).to_bytes(2, "little"))

    def test_what_vim2m_cuts_off_is_gone(self):
        one, other = (pixels.of_colours(1, 1, bytes([r]), b"\x80", b"\x80") for r in (0x80, 0x87))
        self.assertNotEqual(one, other)
        self.assertEqual(pixels.to_565(one), pixels.to_565(other))

    def test_xorg_s_ramp_has_10_bits(self):
        picture = pixels.raw(bytes((0, 0xff, 0)), "RGB3", 1, 1)
        self.assertEqual(picture.through_ramp().argb.hex(), "ffff0000c0ff0000")

    def test_a_part(self):
        part = self.picture.part(10, 20, 4, 2)
        self.assertEqual((part.width, part.height), (4, 2))
        self.assertEqual(part.argb[:32], self.picture.argb[8 * (64 * 20 + 10):][:32])

    def test_a_tile_is_not_symmetric(self):
        bits = pixels.tile(64)
        others = [bits[::-1], [line[::-1] for line in bits], [list(line) for line in zip(*bits)]]
        self.assertNotIn(bits, others)
        picture = pixels.tiled(bits, 640, 480)
        self.assertEqual(picture.part(0, 0, 64, 64), picture.part(64 * 9, 64 * 6, 64, 64))

    def test_a_bitmap_of_x_has_every_bit_and_short_lines(self):
        bits = pixels.tile(64)
        text = pixels.xbm(bits)
        self.assertLess(max(map(len, text.split("\n"))), 250)
        words = [int(word, 16) for word in re.findall(r"0x\w\w", text)]
        self.assertEqual([bool(words[(64 * y + x) // 8] >> x % 8 & 1) for y in range(64) for x in range(64)],
                         [bool(bit) for line in bits for bit in line])


class Clients(unittest.TestCase):
    def test_names_are_unique_and_have_a_guest(self):
        names = [c.name for c in catalogue.CLIENTS]
        self.assertEqual(len(names), len(set(names)))
        for c in catalogue.CLIENTS:
            self.assertIn(c.guest, catalogue.GUESTS)
            self.assertTrue(c.spoils, f"{c.name} is never seen to fail")
            self.assertNotRegex(c.name, r"\s|=")

    def test_a_spoiled_picture_is_another(self):
        picture = pixels.pattern(8, 8)
        self.assertEqual(machine.Spoil("").wanted(picture), picture)
        self.assertEqual(machine.Spoil("copy").wanted(picture), picture)
        self.assertNotEqual(machine.Spoil("picture").wanted(picture), picture)

    def test_a_copy_is_found_in_the_log(self):
        for line in ("WARN kmsallocator: Failed to import prime fd 12: No such device (-19)",
                     "INFO GST_PERFORMANCE gstkmssink.c:1748: frame copy"):
            self.assertTrue(video.COPIED.search(line), line)
        self.assertFalse(video.COPIED.search("DEBUG kmssink: prime import (✓) / prime export (✓)"))

    def test_a_program_that_fails_says_what_it_said(self):
        with tempfile.TemporaryDirectory(prefix="clients-test.") as folder:
            before, machine.OUT = machine.OUT, folder
            self.addCleanup(setattr, machine, "OUT", before)
            with self.assertRaisesRegex(machine.Failed, "sh ended with 3: no device"):
                machine.run("sh", ["sh", "-c", "echo no device; exit 3"])
            with self.assertRaisesRegex(machine.Failed, "ended with 4 before picture: gone"), \
                    machine.Program("sh", ["sh", "-c", "echo gone; exit 4"]) as program:
                machine.wait_for(lambda: False, "picture", program)


class Drawing:
    """A program that has used the processor for so long."""
    used = 0

    def cpu_time(self):
        return self.used


class Turning(unittest.TestCase):
    def setUp(self):
        self.program = Drawing()
        self.turning = desktop.Turning(machine.Spoil(""), self.program)

    def pictures(self, *crcs, each=1):
        found = []
        for crc in crcs:
            self.program.used += each
            found.append(self.turning.picture(crc))
        return found

    def test_three_that_differ(self):
        self.assertEqual(self.pictures(7, 8, 9), [False, False, True])

    def test_two_that_come_in_turn(self):
        self.assertNotIn(True, self.pictures(7, 8, 7, 8, 7))

    def test_what_was_on_its_way_when_it_stopped(self):
        self.pictures(7, 8)
        self.assertNotIn(True, self.pictures(9, 10, 11, each=0))

    def test_it_has_stopped_when_nobody_has_run_for_long(self):
        now = [100]
        with unittest.mock.patch("time.monotonic", lambda: now[0]):
            self.assertFalse(self.turning.nobody_runs())
            now[0] += desktop.STILL_SECONDS + 1
            self.program.used += 1
            self.assertFalse(self.turning.nobody_runs())
            now[0] += desktop.STILL_SECONDS + 1
            self.assertTrue(self.turning.nobody_runs())

    def test_a_process_has_used_time(self):
        with tempfile.TemporaryDirectory(prefix="clients-test.") as folder, \
                unittest.mock.patch.object(machine, "OUT", folder), \
                machine.Program("sh", ["sh", "-c", "while :; do :; done"]) as program:
            machine.wait_for(lambda: program.cpu_time() > 0, "time", program)


class Judgement(unittest.TestCase):
    def judged(self, stock, ours, known=""):
        found = {"stock": {("cube", ""): stock}, "ours": {("cube", ""): ours} if ours else {}}
        return run.judge(run.expectations(known), ["cube"], found)

    def test_lines_of_the_guest(self):
        text = ("noise\nclient\tcube\t\tfailed\t7\tno picture\r\nclient\tshort\n"
                "client\tgst\tcopy\tfailed\t1\tframe copy\n")
        self.assertEqual(run.results(text), {("cube", ""): run.Result("failed", 7, "no picture"),
                                             ("gst", "copy"): run.Result("failed", 1, "frame copy")})

    def test_both_pass(self):
        self.assertEqual(self.judged(PASSED, PASSED), [])

    def test_what_fails_on_ours_alone_is_told_twice(self):
        self.assertEqual(self.judged(PASSED, FAILED),
                         ["cube on ours: failed: no picture", "cube passes on stock and not on ours"])

    def test_it_cannot_be_expected_away(self):
        self.assertEqual(self.judged(PASSED, FAILED, "ours cube we do not mind"),
                         ["cube passes on stock and not on ours"])

    def test_what_stock_does_not_do(self):
        self.assertEqual(self.judged(FAILED, PASSED, "stock cube it has no import"), [])
        self.assertEqual(len(self.judged(FAILED, PASSED)), 1)

    def test_what_passes_and_was_not_to(self):
        self.assertEqual(self.judged(PASSED, PASSED, "stock cube it has no import"),
                         ["cube passes on stock, expected not to: it has no import"])

    def test_what_did_not_run_counts_whatever_was_expected(self):
        self.assertEqual(len(self.judged(FAILED, None, "stock cube a reason\nours cube a reason")), 1)

    def test_no_reason_is_no_expectation(self):
        for line in ("stock cube", "mine cube a reason"):
            with self.assertRaises(run.Stop):
                run.expectations(line)

    def test_our_list_names_clients_that_are_there(self):
        with open(os.path.join(TOOLS, "clients/expected")) as f:
            named = {name for _, name in run.expectations(f.read())}
        self.assertLessEqual(named, {c.name for c in (*catalogue.CLIENTS, catalogue.NESTED)})

    def test_a_verdict_that_cannot_fail_is_told(self):
        clients = [c._replace(spoils=("picture", "copy")) for c in catalogue.CLIENTS[:1]]
        name = clients[0].name
        self.assertEqual(run.judge_spoiled(clients, {(name, "picture"): FAILED, (name, "copy"): PASSED}),
                         [f"{name} with copy spoiled: passed"])
        self.assertEqual(len(run.judge_spoiled(clients, {})), 2)

    def test_a_spoiled_client_that_is_late_proves_nothing(self):
        client = catalogue.CLIENTS[0]
        late = {(client.name, client.spoils[0]): FAILED._replace(outcome="late")}
        self.assertEqual(len(run.judge_spoiled([client], late)), 1)

    def test_the_job_of_a_guest(self):
        self.assertRegex(run.job([("a", ""), ("b", "copy")]), r"/guest a b=copy\n")

    def test_the_table_has_both_kernels(self):
        clients = [catalogue.CLIENTS[0]]
        found = {"stock": {(clients[0].name, ""): FAILED}, "ours": {(clients[0].name, ""): PASSED}}
        rows = run.table(clients, found).split("\n")
        self.assertEqual(rows[0].split()[:4], ["client", "stock", "ours", "seconds"])
        self.assertEqual(rows[1].split()[:4], [clients[0].name, "failed", "passed", "4/3"])


if __name__ == "__main__":
    unittest.main()
