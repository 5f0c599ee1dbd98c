"""Watching a bucket on a real S3 server, by looking and by a real queue."""

import contextlib
import gzip
import json
import signal
import subprocess
import time
import uuid

import boto3
import pytest

VISIBLE_WITHIN_SECS = 10
PATIENCE_SECS = 90
PREFIX = "AWSLogs/111122223333/CloudTrail/us-east-1"


def client(s3, service):
    return boto3.client(
        service,
        endpoint_url=s3[0],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def put_log_file(s3, bucket, number, day=None):
    """Puts a log file with one event and returns its key."""
    day = day or time.strftime("%Y-%m-%d", time.gmtime())
    event = {
        "eventVersion": "1.08",
        "eventTime": f"{day}T00:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "DeleteBucket",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "recipientAccountId": "111122223333",
    }
    name = f"111122223333_CloudTrail_us-east-1_{day.replace('-', '')}T0000Z_{number:016}.json.gz"
    key = f"{PREFIX}/{day.replace('-', '/')}/{name}"
    s3[1].put_object(Bucket=bucket, Key=key, Body=gzip.compress(json.dumps({"Records": [event]}).encode()))
    return key


def wait_for(what, is_there, secs=PATIENCE_SECS):
    """Waits and returns how long it took."""
    began = time.monotonic()
    while not is_there():
        assert time.monotonic() - began < secs, f"{what} did not happen in {secs} s"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture
def watch(remote, bucket, tmp_path):
    """Starts a watch of the bucket; gives a function that returns the lines of its report."""
    path = tmp_path / "report.ndjson"

    @contextlib.contextmanager
    def start(*options):
        path.touch()
        before = len(path.read_text().splitlines())
        process = remote.start(
            "ingest", f"s3://{bucket}/AWSLogs/", "--store", "trail", "--watch",
            "--report", str(path), *options, stderr=subprocess.PIPE,
        )

        def happened(what):
            lines = [json.loads(line) for line in path.read_text().splitlines()[before:]]
            return [line for line in lines if line["what"] == what]

        try:
            wait_for("catching up", lambda: process.poll() is not None or happened("caught_up"))
            yield happened
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=60)
            assert process.returncode == 0, stderr
        finally:
            process.kill()

    remote.run("store", "create", "trail")
    return start


def test_a_bucket_is_watched_by_looking_over_restarts(remote, watch, s3, bucket):
    with watch() as happened:
        for number in range(3):
            put_log_file(s3, bucket, number)
            seen = wait_for(
                "a commit", lambda: len(happened("committed")) > number, VISIBLE_WITHIN_SECS
            )
            assert seen < VISIBLE_WITHIN_SECS
            assert remote.count("trail") == number + 1
    put_log_file(s3, bucket, 3)
    with watch() as happened:
        assert [line["log_files"] for line in happened("committed")] == [1]
    assert remote.count("trail") == 4


def notification(bucket, key):
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}},
            }
        ]
    }


def plain(bucket, key):
    return notification(bucket, key)


def in_sns(bucket, key):
    return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(notification(bucket, key))}


def in_event_bridge(bucket, key):
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    return {"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def by_cloudtrail(bucket, key):
    message = json.dumps({"s3Bucket": bucket, "s3ObjectKey": [key]})
    return {"Type": "Notification", "MessageId": "1", "Message": message}


@pytest.fixture
def queue(s3):
    sqs = client(s3, "sqs")
    url = sqs.create_queue(QueueName=f"trail-{uuid.uuid4().hex[:12]}")["QueueUrl"]

    def left():
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    return sqs, url, left


def test_a_queue_tells_in_every_form_and_is_emptied_after_the_commit(remote, watch, s3, bucket, queue):
    sqs, url, left = queue
    put_log_file(s3, bucket, 0, "2024-01-01")
    with watch("--notifications", url) as happened:
        assert len(happened("committed")) == 1
        for number, form in enumerate([plain, in_sns, in_event_bridge, by_cloudtrail], start=1):
            # Of a day that nobody looks at.
            key = put_log_file(s3, bucket, number, "2024-01-01")
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(form(bucket, key)))
            seen = wait_for(
                form.__name__, lambda: len(happened("committed")) > number, VISIBLE_WITHIN_SECS
            )
            assert seen < VISIBLE_WITHIN_SECS, form.__name__
            assert remote.count("trail") == number + 1
        wait_for("an empty queue", lambda: left() == 0)
        sqs.send_message(QueueUrl=url, MessageBody="this is poison")
        wait_for("poison being named", lambda: happened("message_not_understood"))
    assert left() == 1, "poison is left to the queue's own policy for some time"


def test_s3_itself_tells_the_queue(remote, watch, s3, bucket, queue):
    sqs, url, left = queue
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    s3[1].put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": attributes["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    with watch("--notifications", url) as happened:
        put_log_file(s3, bucket, 0, "2024-01-01")
        wait_for("a commit", lambda: happened("committed"), VISIBLE_WITHIN_SECS)
        assert remote.count("trail") == 1


def test_a_queue_that_does_not_exist_is_said_at_once(remote, watch, s3, bucket):
    failed = remote.run(
        "ingest", f"s3://{bucket}/", "--store", "trail", "--watch",
        "--notifications", f"{s3[0]}/000000000000/none", code=1,
    )
    assert "could not ask the queue" in failed.stderr
