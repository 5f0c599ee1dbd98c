"""The memory that one ingest takes, whatever arrives, and a compaction."""

import gzip
import json
import os
import subprocess
import uuid

import pytest

# What the ingest promises, in the unit of `ru_maxrss` on Linux.
RSS_KIB_MAX = 512 * 1024
EVENT = '{"eventTime":"2024-05-0%dT00:00:00Z","eventName":"Put%d","eventID":"%s","requestParameters":{"k":"%s"}}'


def event(number, text=""):
    return EVENT % (number % 9 + 1, number % 50, uuid.UUID(int=number), text)


def write(folder, name, *pieces):
    """Writes a log file of pieces of text, each of them a text and how often it comes."""
    with gzip.open(folder / name, "wb", compresslevel=1) as file:
        for piece, times in pieces:
            for _ in range(times):
                file.write(piece.encode())


def large_log_file(folder):
    """A log file of 160 MB, which has to be decoded in parts: its events and their text differ."""
    with gzip.open(folder / "large.json.gz", "wb", compresslevel=1) as file:
        file.write(b'{"Records":[')
        for number in range(80_000):
            comma = "," if number else ""
            file.write((comma + event(number, f"{number:x}".ljust(1900, "y"))).encode())
        file.write(b"]}")
    return 80_000, 0


def large_event(folder):
    """An event of 48 MB is taken, one of 200 MB is not."""
    for name, number, megabytes in (("taken", 1, 48), ("refused", 2, 200)):
        start, end = event(number, "|").split("|")
        text = ("x%06d" % 7) * 125_000 + "y" * 125_000
        pieces = [('{"Records":[' + start, 1), (text, megabytes), (end + "]}", 1)]
        write(folder, f"{name}.json.gz", *pieces)
    return 1, 1


def bombs(folder):
    """A quarter of a gigabyte each of white space, of one string, of nesting and of empty events."""
    write(folder, "space.json.gz", (" " * 2**20, 256))
    write(folder, "string.json.gz", ('{"Records":[{"eventName":"', 1), ("a" * 2**20, 256))
    write(folder, "nesting.json.gz", ('{"Records":', 1), ("[" * 2**20, 256))
    write(folder, "empty.json.gz", ('{"Records":[', 1), ("{}," * 2**18, 341))
    return 0, 4


def many_log_files(folder):
    """Small log files, some of which have another month in each event."""
    for number in range(3_000):
        other = event(number).replace("2024-05", f"20{10 + number % 16}-{number % 12 + 1:02}")
        write(folder, f"{number}.json.gz", ('{"Records":[' + other + "]}", 1))
    return 3_000, 0


def run(command, options):
    """Runs a command; returns its exit code and the most memory it took, in KiB."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_maxrss


def new_lake(binary, tmp_path):
    """A new lake with a store; returns how commands on it begin, and the options to run them."""
    command = [binary, "--lake", str(tmp_path / "lake")]
    create = [*command, "store", "create", "org", "--retention-days", "3653"]
    options = {"env": {"HOME": str(tmp_path)}, "stderr": subprocess.DEVNULL}
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL, **options)
    return command, options


@pytest.mark.parametrize("make", [large_log_file, large_event, bombs, many_log_files])
def test_an_ingest_stays_within_512_mb(binary, tmp_path, make):
    trail = tmp_path / "trail"
    trail.mkdir()
    stored, refused = make(trail)
    command, options = new_lake(binary, tmp_path)

    report = tmp_path / "report"
    ingest = [*command, "ingest", str(trail), "--store", "org", "--report", str(report)]
    exit_code, rss_kib = run(ingest, options)

    assert exit_code in (0, 1, 3), "it ended by itself"
    report = json.loads(report.read_text())
    events, log_files = report["events"], report["log_files"]
    assert log_files["rejected"] == refused, report
    assert events["stored"] + events["expired"] + events["duplicate"] == stored, report
    assert rss_kib < RSS_KIB_MAX, f"{rss_kib} KiB"


def test_a_compaction_and_the_index_stay_within_512_mb(binary, tmp_path):
    """As many data files as become one, of one month: all of them are open at once."""
    command, options = new_lake(binary, tmp_path)
    text = "".join(uuid.UUID(int=n * 2**64 + 1).hex for n in range(20))
    for ingest in range(12):
        trail = tmp_path / f"trail-{ingest}"
        trail.mkdir()
        numbers = range(ingest * 4_000, ingest * 4_000 + 4_000)
        events = ",".join(event(number, f"{number:x}{text}") for number in numbers)
        write(trail, "log.json.gz", ('{"Records":[' + events + "]}", 1))
        exit_code, rss_kib = run([*command, "ingest", str(trail), "--store", "org"], options)
        assert exit_code == 0 and rss_kib < RSS_KIB_MAX, f"{rss_kib} KiB"

    exit_code, rss_kib = run([*command, "compact", "--store", "org"], options)

    assert exit_code == 0 and rss_kib < RSS_KIB_MAX, f"{rss_kib} KiB"
    query = [*command, "query", "SELECT count(*) FROM org", "--format", "tsv"]
    counted = subprocess.run(query, check=True, stdout=subprocess.PIPE, text=True, **options)
    assert counted.stdout.split()[-1] == "48000"
