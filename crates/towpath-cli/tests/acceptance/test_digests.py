"""AWS's own command and ours on the same signed trails, whole and tampered with, on a real S3 server.

What `aws cloudtrail validate-logs` prints on stdout, ours must print too. Where it finds nothing
wrong although something is, ours must say so.
"""

import base64
import gzip
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import rsa

ACCOUNT = "111122223333"
REGION = "us-east-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/my-trail"
START, END = "2024-01-10T00:00:00Z", "2024-01-10T06:00:00Z"


@pytest.fixture(scope="module")
def key():
    return rsa.newkeys(2048)


@pytest.fixture(scope="module")
def key_list(key):
    der = key[0].save_pkcs1("DER")
    fingerprint = hashlib.md5(der).hexdigest()
    value = base64.b64encode(der).decode()
    return {"PublicKeyList": [{"Value": value, "Fingerprint": fingerprint}]}


@pytest.fixture(scope="module")
def cloudtrail(key_list):
    """As much of CloudTrail as the command asks for: the public keys."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(key_list).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Trail:
    """Six hours of log files and digests in a bucket, signed."""

    def __init__(self, client, bucket, key):
        self.client, self.bucket, self.key = client, bucket, key
        self.digests, self.logs, previous = [], [], None
        for hour in range(6):
            previous = self.hour(datetime(2024, 1, 10, hour), previous)

    def hour(self, start, previous):
        named = []
        for minute in (1, 6, 11):
            time = start + timedelta(minutes=minute)
            name = f"{ACCOUNT}_CloudTrail_{REGION}_{time:%Y%m%dT%H%MZ}_{minute:016}.json.gz"
            log = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{time:%Y/%m/%d}/{name}"
            text = json.dumps({"Records": [{"eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}"}]}).encode()
            self.client.put_object(Bucket=self.bucket, Key=log, Body=gzip.compress(text))
            self.logs.append(log)
            named.append(
                {
                    "s3Bucket": self.bucket,
                    "s3Object": log,
                    "hashValue": hashlib.sha256(text).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                }
            )
        end = start + timedelta(hours=1)
        name = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_my-trail_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        digest = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{name}"
        previous_key, previous_signature = previous or (None, None)
        content = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": self.bucket,
            "digestS3Object": digest,
            "digestPublicKeyFingerprint": hashlib.md5(self.key[0].save_pkcs1("DER")).hexdigest(),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": self.bucket if previous else None,
            "previousDigestS3Object": previous_key,
            "previousDigestSignature": previous_signature,
            "logFiles": named,
        }
        text = json.dumps(content).encode()
        parts = [
            content["digestEndTime"],
            f"{self.bucket}/{digest}",
            hashlib.sha256(text).hexdigest(),
            previous_signature or "null",
        ]
        signature = rsa.sign("\n".join(parts).encode(), self.key[1], "SHA-256").hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        self.client.put_object(
            Bucket=self.bucket, Key=digest, Body=gzip.compress(text), Metadata=metadata
        )
        self.digests.append(digest)
        return digest, signature

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def put(self, key, content):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()


def plant(trail):
    trail.put(trail.logs[4].replace("_0000", "_PLAN"), trail.get(trail.logs[4]))


def change_log(trail):
    trail.put(trail.logs[7], gzip.compress(gzip.decompress(trail.get(trail.logs[7])) + b" "))


def append_to_log(trail):
    trail.put(trail.logs[7], trail.get(trail.logs[7]) + b"more")


# What was done, AWS's exit code, ours.
CASES = {
    "nothing": (lambda trail: None, 0, 0),
    "log changed": (change_log, 1, 1),
    "log deleted": (lambda trail: trail.delete(trail.logs[7]), 1, 1),
    "log not gzip": (lambda trail: trail.put(trail.logs[7], b"text"), 1, 1),
    "log with trailing bytes": (append_to_log, 1, 1),
    "log compressed anew": (
        lambda trail: trail.put(trail.logs[7], gzip.compress(gzip.decompress(trail.get(trail.logs[7])), 1)),
        0,
        0,
    ),
    "digest deleted": (lambda trail: trail.delete(trail.digests[2]), 1, 1),
    "digest stripped": (
        lambda trail: trail.put(trail.digests[2], trail.get(trail.digests[2])), 1, 1,
    ),
    "newest digest stripped": (
        lambda trail: trail.put(trail.digests[5], trail.get(trail.digests[5])), 1, 1,
    ),
    "two digests deleted": (lambda trail: [trail.delete(key) for key in trail.digests[2:4]], 1, 1),
    "newest digest deleted": (lambda trail: trail.delete(trail.digests[5]), 0, 1),
    "all digests deleted": (lambda trail: [trail.delete(key) for key in trail.digests], 0, 1),
    "log planted": (plant, 0, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_awss_command_and_ours_agree_and_ours_finds_more(
    case, remote, s3, bucket, key, key_list, cloudtrail, tmp_path
):
    tamper, code_of_aws, code = CASES[case]
    trail = Trail(s3[1], bucket, key)
    tamper(trail)

    command = [
        str(Path(sys.executable).parent / "aws"), "cloudtrail", "validate-logs",
        "--trail-arn", ARN, "--start-time", START, "--end-time", END, "--s3-bucket", bucket,
        "--verbose", "--region", REGION, "--endpoint-url", cloudtrail,
    ]
    env = dict(
        remote.env,
        AWS_ENDPOINT_URL_S3=s3[0],
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    theirs = subprocess.run(command, env=env, text=True, capture_output=True, timeout=120)
    assert theirs.returncode == code_of_aws, theirs.stderr

    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(key_list))
    ours = remote.run(
        "verify-digests", f"s3://{bucket}/AWSLogs/", "--public-keys", str(keys),
        "--from", START, "--to", END, "--verbose", code=code,
    )
    if case != "all digests deleted":
        assert ours.stdout.startswith(theirs.stdout), ours.stdout
        for line in filter(None, theirs.stderr.splitlines()):
            assert line in ours.stderr
    if code_of_aws == 0 and code == 1:
        assert theirs.stderr == ""
        assert "MISSING" in ours.stderr or "PLANTED" in ours.stderr
