"""Processes killed at random moments on a real S3 server lose and double nothing."""

import gzip
import json
import random
import signal
import subprocess
import time

KILLS = 50
EVENTS = 20
SECONDS_MAX = 1.5
COUNTS = (
    "SELECT count(*) AS events, count(DISTINCT eventID) AS different,"
    " count(DISTINCT requestID) AS files FROM trail"
)


def log_file(number):
    events = [
        {
            "eventVersion": "1.08",
            "eventTime": f"2026-{number % 3 + 1:02}-{place + 1:02}T00:00:00Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject",
            "eventID": f"{number:08}-0000-4000-8000-{place:012}",
            "requestID": f"file-{number}",
            "recipientAccountId": "111122223333",
        }
        for place in range(EVENTS)
    ]
    return gzip.compress(json.dumps({"Records": events}).encode())


def let_leases_end(client, bucket):
    """What half a minute does: nobody renews the leases of the dead."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            if found["Key"].endswith(".lease"):
                client.delete_object(Bucket=bucket, Key=found["Key"])


def test_fifty_kills_of_ingest_compaction_and_expiry_on_s3(remote, s3, bucket, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    remote.run("store", "create", "trail")
    choose = random.Random(50)
    written = kills = acknowledged = 0

    while kills < KILLS:
        for _ in range(2):
            written += 1
            (logs / f"{written:06}.json.gz").write_bytes(log_file(written))
        ingest = ("ingest", str(logs), "--store", "trail")
        command = choose.choice([ingest, ingest, ("compact",), ("expire",)])
        process = remote.start(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(choose.uniform(0, SECONDS_MAX))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
            process.wait()
            let_leases_end(s3[1], bucket)
        else:
            assert process.returncode == 0, process.stderr.read()
            acknowledged = written if command is ingest else acknowledged
        process.communicate()
        if kills % 10 == 0:
            seen = remote.rows(COUNTS)[0]
            assert seen["events"] == seen["different"] == EVENTS * seen["files"]
            assert acknowledged <= seen["files"] <= written

    remote.ingest(logs, store="trail")
    remote.run("compact")
    seen = remote.rows(COUNTS)[0]
    assert seen == {"events": EVENTS * written, "different": EVENTS * written, "files": written}
