"""AWS's own command and ours on the same signed trails, whole and tampered with, on a real S3 server.

What `aws cloudtrail validate-logs` prints on stdout, ours must print too. Where it finds nothing
wrong although something is, ours must say so.
"""

import base64
import gzip
import hashlib
import http.server
import json
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import rsa
from cryptography.hazmat.primitives import serialization

ACCOUNT = "111122223333"
REGION = "us-east-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/my-trail"
START, END = "2024-01-10T00:00:00Z", "2024-01-10T06:00:00Z"


@pytest.fixture(scope="module")
def key():
    return rsa.newkeys(2048)


@pytest.fixture(scope="module")
def other_key():
    return rsa.newkeys(2048)


@pytest.fixture(scope="module")
def key_list(key):
    return key_list_of(key[0])


@pytest.fixture
def cloudtrail(key_list):
    """As much of CloudTrail as the commands ask for: the public keys, in `keys`."""
    answer = {"keys": key_list}

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answer["keys"]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answer["url"] = f"http://127.0.0.1:{server.server_port}"
    yield answer
    server.shutdown()


class Trail:
    """Hours of log files and digests in a bucket, signed."""

    def __init__(self, client, bucket, key, head="AWSLogs", region=REGION, hours=range(6), empty=()):
        self.client, self.bucket, self.key = client, bucket, key
        self.head, self.region = head, region
        self.digests, self.logs, self.previous = [], [], None
        for hour in hours:
            self.hour(hour, logs=0 if hour in empty else 3)

    def hour(self, hour, logs=3, backfill=False):
        start, previous = datetime(2024, 1, 10, hour), self.previous
        if backfill:
            previous = None
        named = []
        for minute in (1, 6, 11)[:logs]:
            time = start + timedelta(minutes=minute)
            name = f"{ACCOUNT}_CloudTrail_{self.region}_{time:%Y%m%dT%H%MZ}_{minute:016}.json.gz"
            log = f"{self.head}/{ACCOUNT}/CloudTrail/{self.region}/{time:%Y/%m/%d}/{name}"
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
        late = "_backfill" if backfill else ""
        name = f"{ACCOUNT}_CloudTrail-Digest_{self.region}_my-trail_{REGION}_{end:%Y%m%dT%H%M%SZ}"
        folder = f"{self.head}/{ACCOUNT}/CloudTrail-Digest/{self.region}/{end:%Y/%m/%d}"
        digest = f"{folder}/{name}{late}.json.gz"
        previous_bucket, previous_key, previous_signature = previous or (None, None, None)
        content = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": self.bucket,
            "digestS3Object": digest,
            "digestPublicKeyFingerprint": hashlib.md5(self.key[0].save_pkcs1("DER")).hexdigest(),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": previous_bucket,
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
        if backfill:
            metadata["backfill-generation-timestamp"] = "2024-01-11T00:00:00.000Z"
        self.client.put_object(
            Bucket=self.bucket, Key=digest, Body=gzip.compress(text), Metadata=metadata
        )
        self.digests.append(digest)
        if not backfill:
            self.previous = self.bucket, digest, signature

    def copy(self, source, target):
        """Copies a file over another, with what belongs to it."""
        where = {"Bucket": self.bucket, "Key": source}
        self.client.copy_object(Bucket=self.bucket, Key=target, CopySource=where)

    def replace(self, key, content):
        """Changes a file and leaves what belongs to it."""
        metadata = self.client.head_object(Bucket=self.bucket, Key=key)["Metadata"]
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content, Metadata=metadata)

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


def change_digest(trail):
    text = gzip.decompress(trail.get(trail.digests[2])).replace(b"SHA-256", b"SHA-257")
    trail.replace(trail.digests[2], gzip.compress(text))


def truncate_log(trail):
    trail.put(trail.logs[7], trail.get(trail.logs[7])[:-9])


def split_log(trail):
    text = gzip.decompress(trail.get(trail.logs[7]))
    trail.put(trail.logs[7], gzip.compress(text[:20]) + gzip.compress(text[20:]))


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
    "log truncated": (truncate_log, 1, 1),
    "log of two members": (split_log, 1, 1),
    "digest changed": (change_digest, 1, 1),
    "digest not JSON": (
        lambda trail: trail.replace(trail.digests[2], gzip.compress(b"text")), 1, 1,
    ),
    "digest copied over another": (
        lambda trail: trail.copy(trail.digests[3], trail.digests[2]), 1, 1,
    ),
}


def with_gap(*place):
    trail = Trail(*place, hours=range(2))
    trail.previous = None
    [trail.hour(hour) for hour in (4, 5)]
    return trail


def with_backfill(*place):
    trail = Trail(*place, hours=range(2))
    trail.hour(2, backfill=True)
    trail.previous = None
    [trail.hour(hour) for hour in (3, 4, 5)]
    return trail


# Trails that are as they were delivered, and what AWS's command is told of them.
WHOLE = {
    "an empty hour": (lambda *place: Trail(*place, empty=(2,)), [], REGION),
    "a gap": (with_gap, [], REGION),
    "backfill": (with_backfill, [], REGION),
    "a prefix": (
        lambda *place: Trail(*place, head="logs/audit/AWSLogs"), ["--s3-prefix", "logs/audit"], REGION,
    ),
    "another region": (lambda *place: Trail(*place, region="eu-west-1"), [], "eu-west-1"),
}

# Keys that do not fit: AWS's exit code and ours.
KEYS = {
    "unknown fingerprint": (lambda own, other: key_list_of(other[0]), 1, 1),
    "wrong key": (lambda own, other: key_list_of(other[0], fingerprint(own[0])), 1, 1),
    "SPKI": (lambda own, other: key_list_of(own[0], fingerprint(own[0]), spki=True), 1, 1),
    "none": (lambda own, other: {"PublicKeyList": []}, 255, 2),
}


def fingerprint(key):
    return hashlib.md5(key.save_pkcs1("DER")).hexdigest()


def key_list_of(key, name=None, spki=False):
    der = key.save_pkcs1("DER")
    if spki:
        loaded = serialization.load_der_public_key(der)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        der = loaded.public_bytes(serialization.Encoding.DER, form)
    value = base64.b64encode(der).decode()
    return {"PublicKeyList": [{"Value": value, "Fingerprint": name or fingerprint(key)}]}


class Both:
    """AWS's command and ours, on one bucket."""

    def __init__(self, remote, s3, cloudtrail, tmp_path):
        self.remote, self.cloudtrail, self.tmp_path = remote, cloudtrail, tmp_path
        none = str(tmp_path / "none")
        self.env = dict(
            remote.env,
            AWS_ENDPOINT_URL_S3=s3[0],
            AWS_CONFIG_FILE=none,
            AWS_SHARED_CREDENTIALS_FILE=none,
        )

    def theirs(self, bucket, *more, region=REGION, code=0):
        command = [
            str(Path(sys.executable).parent / "aws"), "cloudtrail", "validate-logs",
            "--trail-arn", ARN, "--start-time", START, "--end-time", END, "--s3-bucket", bucket,
            "--verbose", "--region", region, "--endpoint-url", self.cloudtrail["url"], *more,
        ]
        done = subprocess.run(command, env=self.env, text=True, capture_output=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def ours(self, bucket, code=0):
        keys = self.tmp_path / "keys.json"
        keys.write_text(json.dumps(self.cloudtrail["keys"]))
        return self.remote.run(
            "verify-digests", f"s3://{bucket}/", "--public-keys", str(keys),
            "--from", START, "--to", END, "--verbose", code=code,
        )


@pytest.fixture
def both(remote, s3, cloudtrail, tmp_path):
    return Both(remote, s3, cloudtrail, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_awss_command_and_ours_agree_and_ours_finds_more(case, both, s3, bucket, key):
    tamper, code_of_aws, code = CASES[case]
    trail = Trail(s3[1], bucket, key)
    tamper(trail)
    theirs = both.theirs(bucket, code=code_of_aws)
    ours = both.ours(bucket, code=code)
    if case != "all digests deleted":
        assert ours.stdout.startswith(theirs.stdout), ours.stdout
        for line in filter(None, theirs.stderr.splitlines()):
            assert line in ours.stderr
    if code_of_aws == 0 and code == 1:
        assert theirs.stderr == ""
        assert "MISSING" in ours.stderr or "PLANTED" in ours.stderr


@pytest.mark.parametrize("case", WHOLE)
def test_a_trail_as_it_was_delivered_is_valid_to_both(case, both, s3, bucket, key):
    make, more, region = WHOLE[case]
    make(s3[1], bucket, key)
    theirs = both.theirs(bucket, *more, region=region)
    ours = both.ours(bucket)
    assert "log files valid" in theirs.stdout and "INVALID" not in theirs.stdout
    assert theirs.stdout in ours.stdout, ours.stdout


def test_a_chain_that_goes_on_in_another_bucket_is_valid_to_both(both, remote, s3, bucket, key, tmp_path):
    trail = Trail(s3[1], bucket, key, hours=range(3))
    trail.bucket = f"{bucket}-2"
    s3[1].create_bucket(Bucket=trail.bucket)
    [trail.hour(hour) for hour in (3, 4, 5)]
    theirs = both.theirs(trail.bucket)
    assert "6/6 digest files valid" in theirs.stdout and "18/18 log files valid" in theirs.stdout
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(both.cloudtrail["keys"]))
    ours = remote.run(
        "verify-digests", f"s3://{bucket}/", f"s3://{trail.bucket}/", "--public-keys", str(keys),
        "--from", START, "--to", END,
    )
    assert "6/6 digest files valid" in ours.stdout and "18/18 log files valid" in ours.stdout


@pytest.mark.parametrize("case", KEYS)
def test_keys_that_do_not_fit_are_no_proof_to_either(case, both, s3, bucket, key, other_key):
    make, code_of_aws, code = KEYS[case]
    Trail(s3[1], bucket, key)
    both.cloudtrail["keys"] = make(key, other_key)
    both.theirs(bucket, code=code_of_aws)
    ours = both.ours(bucket, code=code)
    if code == 1:
        assert "0/6 digest files valid, 6/6 digest files INVALID" in ours.stdout


def test_an_ingest_asks_the_digests_with_keys_that_cloudtrail_gives_out(
    remote, s3, bucket, key, cloudtrail
):
    trail = Trail(s3[1], bucket, key)
    change_log(trail)
    plant(trail)
    trail.delete(trail.logs[2])
    remote.env["AWS_ENDPOINT_URL_CLOUDTRAIL"] = cloudtrail["url"]
    remote.run("store", "create", "trail", "--retention-days", "3653")
    options = ["--verify-digests", "--keys-region", REGION]
    source = f"s3://{bucket}/AWSLogs"
    marks = remote.ingest(source, store="trail", code=3, options=options)["digests"]
    found = [marks[name] for name in ("covered", "unverified", "planted", "altered", "missing")]
    assert found == [16, 0, 1, 1, 1]
    assert marks["missing_log_files"] == [f"s3://{bucket}/{trail.logs[2]}"]
    # The planted log file is a copy, whose event the store has already.
    assert remote.count("trail") == 16
    # The keys are the lake's now, and CloudTrail is not asked again.
    cloudtrail["keys"] = {"PublicKeyList": []}
    report = remote.run(
        "coverage", "--store", "trail", "--source", source, "--report", "-", code=1
    ).stdout
    report = json.loads(report)
    assert report["signatures_checked"] and report["gaps"] == []
    sums = {
        name: sum(hour[name] for hour in report["hours"])
        for name in ("named", "ingested", "not_ingested", "not_named", "altered", "missing")
    }
    assert sums == {
        "named": 18, "ingested": 17, "not_ingested": 2, "not_named": 1, "altered": 1, "missing": 1,
    }
