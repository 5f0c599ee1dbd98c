"""The main job on a real S3 server: logs in one bucket, the lake in another place."""

import signal
import subprocess
import time

import pytest

DELETE_BUCKETS = "SELECT count(*) AS n FROM trail WHERE eventName = 'DeleteBucket'"


@pytest.fixture
def code(trail):
    """The bundled trail has one broken log file: an ingest of it is done in part."""
    return 3 if trail.name == "trail" else 0


def test_logs_in_a_bucket_become_a_lake_in_a_bucket(
    remote, bucket, upload, trail, different_events, code
):
    upload(trail, bucket)
    remote.run("store", "create", "trail")

    first = remote.ingest(f"s3://{bucket}/AWSLogs/", store="trail", code=code)
    again = remote.ingest(f"s3://{bucket}/AWSLogs/", store="trail", code=code)

    assert first["events"]["stored"] == len(different_events)
    assert again["events"]["stored"] == 0
    assert remote.count("trail") == len(different_events)
    assert remote.rows(DELETE_BUCKETS)[0]["n"] > 0


def test_two_ingests_at_once_store_every_event_once(
    remote, bucket, upload, trail, different_events, code
):
    upload(trail, bucket)
    remote.run("store", "create", "trail")

    both = [
        remote.start("ingest", f"s3://{bucket}/AWSLogs/", "--store", "trail", stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for ingest in both:
        _, stderr = ingest.communicate(timeout=300)
        assert ingest.returncode == code, stderr

    assert remote.count("trail") == len(different_events)


def test_a_killed_ingest_loses_and_doubles_nothing(
    remote, bucket, upload, trail, different_events, code
):
    upload(trail, bucket)
    remote.run("store", "create", "trail")

    for delay in (0.2, 0.5, 1.0, 1.5, 2.5):
        ingest = remote.start(
            "ingest", f"s3://{bucket}/AWSLogs/", "--store", "trail", stderr=subprocess.DEVNULL
        )
        time.sleep(delay)
        ingest.send_signal(signal.SIGKILL)
        ingest.wait()

    remote.ingest(f"s3://{bucket}/AWSLogs/", store="trail", code=code)
    assert remote.count("trail") == len(different_events)
    assert remote.rows("SELECT count(DISTINCT eventJson) AS n FROM trail")[0]["n"] == len(
        different_events
    )


def test_a_bucket_that_cannot_be_reached_is_named(remote):
    remote.run("store", "create", "trail")
    remote.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"

    failed = remote.run("query", DELETE_BUCKETS, code=1)

    assert failed.stdout == ""
    assert failed.stderr.startswith("error: ")
    assert "127.0.0.1:9" in failed.stderr


def test_a_bucket_that_does_not_exist_is_named(remote):
    remote.run("store", "create", "trail")

    failed = remote.run("ingest", "s3://no-such-bucket-here/AWSLogs/", "--store", "trail", code=1)

    assert "no-such-bucket-here" in failed.stderr
    assert remote.count("trail") == 0


def test_only_the_days_asked_for_are_listed(remote, s3, bucket):
    """A file whose folder lies outside the days is not even looked at."""
    prefix = "AWSLogs/111122223333/CloudTrail/us-east-1"
    name = "111122223333_CloudTrail_us-east-1"
    for day in ("2024/01/01", "2024/06/01"):
        stamp = day.replace("/", "")
        s3[1].put_object(
            Bucket=bucket,
            Key=f"{prefix}/{day}/{name}_{stamp}T1200Z_abcdefghijklmnop.json.gz",
            Body=b"not gzip",
        )
    remote.run("store", "create", "trail")

    report = remote.ingest(
        f"s3://{bucket}/AWSLogs/",
        store="trail",
        code=3,
        options=("--from", "2024-06-01", "--to", "2024-06-02"),
    )

    assert [rejected["path"].split("/")[-2] for rejected in report["rejected"]] == ["01"]
    assert "2024/06/01" in report["rejected"][0]["path"]
