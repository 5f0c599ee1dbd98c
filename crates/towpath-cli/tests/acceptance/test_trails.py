"""A trail of `towpath serve`, driven by AWS's own command and found valid by it, then tampered with."""

import gzip
import json
import os
import re
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from conftest import STARTUP_SECS_MAX, Towpath

ACCOUNT, REGION = "123456789012", "us-east-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/my-trail"
DELIVERY_SECS_MAX = 120


@pytest.fixture
def served(binary, s3, tmp_path):
    """A server whose trails deliver every second, with digests of two seconds, to a real bucket."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": s3[0],
        "AWS_ALLOW_HTTP": "true",
        "TOWPATH_ACCESS_KEY_ID": "test",
        "TOWPATH_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    towpath = Towpath(binary, str(tmp_path / "lake"), env)
    log = open(tmp_path / "server.log", "w")
    process = towpath.start(
        "serve", "--listen", "127.0.0.1:0", "--account-id", ACCOUNT,
        "--trail-delivery-secs", "1", "--trail-digest-secs", "2", stderr=log,
    )
    deadline, found = time.monotonic() + STARTUP_SECS_MAX, None
    while not found:
        assert time.monotonic() < deadline and process.poll() is None
        found = re.search(r"serving lake .* at (http://\S+)", (tmp_path / "server.log").read_text())
        time.sleep(0.1)
    env["AWS_ENDPOINT_URL_CLOUDTRAIL"] = found[1]
    yield towpath
    process.terminate()
    assert process.wait(timeout=60) == 0
    log.close()


def aws(served, *args, code=0):
    env = dict(served.env, AWS_ENDPOINT_URL_S3=served.env["AWS_ENDPOINT_URL"])
    command = [str(Path(sys.executable).parent / "aws"), "cloudtrail", *args, "--region", REGION]
    command += ["--endpoint-url", served.env["AWS_ENDPOINT_URL_CLOUDTRAIL"]]
    done = subprocess.run(command, env=env, text=True, capture_output=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def put(served, folder, count):
    events = [
        {
            "eventVersion": "1.08",
            "eventTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "s3.amazonaws.com",
            "eventName": "DeleteBucket",
            "awsRegion": REGION,
            "eventID": str(uuid.uuid4()),
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "managementEvent": True,
        }
        for _ in range(count)
    ]
    path = folder / f"{uuid.uuid4()}.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"Records": events}).encode()))
    assert served.ingest(path, store="trail")["events"]["stored"] == count


def status_when(served, is_so):
    deadline = time.monotonic() + DELIVERY_SECS_MAX
    while True:
        status = json.loads(aws(served, "get-trail-status", "--name", "my-trail").stdout)
        if is_so(status):
            return status
        assert time.monotonic() < deadline, status
        time.sleep(0.5)


def keys_of(client, bucket, service):
    listed = client.list_objects_v2(Bucket=bucket)["Contents"]
    return sorted(entry["Key"] for entry in listed if f"/{service}/" in entry["Key"])


def test_awss_command_finds_valid_what_a_trail_delivered_and_red_what_was_tampered_with(
    served, s3, bucket, tmp_path
):
    client = s3[1]
    served.run("store", "create", "trail")
    begun = datetime.now(timezone.utc)
    aws(
        served, "create-trail", "--name", "my-trail", "--s3-bucket-name", bucket,
        "--s3-key-prefix", "audit", "--enable-log-file-validation",
    )
    aws(served, "start-logging", "--name", "my-trail")
    put(served, tmp_path, 3)
    status_when(served, lambda status: status.get("LatestDeliveryTime"))
    status_when(served, lambda status: status.get("LatestDigestDeliveryTime"))
    put(served, tmp_path, 2)
    status_when(served, lambda _: len(keys_of(client, bucket, "CloudTrail")) == 2)
    aws(served, "stop-logging", "--name", "my-trail")
    status = status_when(
        served,
        lambda status: status.get("LatestDigestDeliveryTime", "") >= status["StopLoggingTime"],
    )
    assert "LatestDeliveryError" not in status and "LatestDigestDeliveryError" not in status

    logs = keys_of(client, bucket, "CloudTrail")
    digests = keys_of(client, bucket, "CloudTrail-Digest")
    named = [key for key in digests if b"hashValue" in gzip.decompress(read(client, bucket, key))]
    assert len(logs) == 2 and len(digests) >= 3, digests
    start = (begun - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def check(code_of_aws, code):
        theirs = aws(
            served, "validate-logs", "--trail-arn", ARN, "--start-time", start, "--verbose",
            code=code_of_aws,
        )
        ours = served.run(
            "verify-digests", f"s3://{bucket}/audit", "--keys-region", REGION, code=code
        )
        return theirs, ours

    theirs, ours = check(0, 0)
    whole = f"{len(digests)}/{len(digests)} digest files valid"
    assert whole in theirs.stdout and whole in ours.stdout, theirs.stdout + theirs.stderr
    assert "2/2 log files valid" in theirs.stdout and "2/2 log files valid" in ours.stdout

    text = gzip.decompress(read(client, bucket, logs[0]))
    digest = gzip.decompress(read(client, bucket, named[0]))
    tamperings = {
        logs[0]: [gzip.compress(text.replace(b"DeleteBucket", b"CreateBucket")), None, text,
                  read(client, bucket, logs[0]) + b"more"],
        named[0]: [gzip.compress(digest.replace(b"SHA-256", b"SHA-257")), None, b"text"],
    }
    for key, contents in tamperings.items():
        whole = client.get_object(Bucket=bucket, Key=key)
        body = whole["Body"].read()
        for content in contents:
            if content is None:
                client.delete_object(Bucket=bucket, Key=key)
            else:
                client.put_object(
                    Bucket=bucket, Key=key, Body=content, Metadata=whole["Metadata"]
                )
            check(1, 1)
        client.put_object(Bucket=bucket, Key=key, Body=body, Metadata=whole["Metadata"])
    check(0, 0)
    # What nobody's digest names, AWS's command does not see.
    planted = re.sub(r"_[^_]{16}\.json\.gz$", "_0000000000000000.json.gz", logs[0])
    client.put_object(Bucket=bucket, Key=planted, Body=gzip.compress(text))
    _, ours = check(0, 1)
    assert "PLANTED" in ours.stderr or "UNVERIFIED" in ours.stderr


def read(client, bucket, key):
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()
