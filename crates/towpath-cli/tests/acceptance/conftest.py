"""The S3 server, the lakes and the command that the acceptance tests use.

Nothing here skips: a tool that is missing is a failure, because whoever runs this asked for it.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[4]
REAL_TRAIL = ROOT.parent / "shared" / "data" / "aws-trail"
BUNDLED_TRAIL = ROOT / "data" / "trail"
STARTUP_SECS_MAX = 60


class Towpath:
    """The real binary, with only the environment that a test gives it."""

    def __init__(self, binary, lake, env):
        self.binary, self.lake, self.env = binary, lake, env

    def command(self, *args):
        return [self.binary, "--lake", self.lake, *args]

    def start(self, *args, **options):
        return subprocess.Popen(self.command(*args), env=self.env, text=True, **options)

    def run(self, *args, code=0):
        done = subprocess.run(
            self.command(*args), env=self.env, text=True, capture_output=True, timeout=300
        )
        assert done.returncode == code, f"exit {done.returncode}, expected {code}\n{done.stderr}"
        return done

    def rows(self, statement):
        out = self.run("query", statement, "--format", "ndjson").stdout
        return [json.loads(line) for line in out.splitlines()]

    def count(self, store):
        return self.rows(f"SELECT count(*) AS n FROM {store}")[0]["n"]

    def ingest(self, *sources, store, code=0, options=()):
        """Ingests and returns the report."""
        report = self.run(
            "ingest", *map(str, sources), "--store", store, "--report", "-", *options, code=code
        ).stdout
        return json.loads(report)


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("TOWPATH_BIN")
    assert path and Path(path).is_file(), "TOWPATH_BIN must name the built towpath command"
    return path


@pytest.fixture(scope="session")
def trail():
    """The real logs where they stand beside the project, the bundled ones elsewhere."""
    return REAL_TRAIL if REAL_TRAIL.is_dir() else BUNDLED_TRAIL


@pytest.fixture(scope="session")
def different_events(trail):
    """The content of every event below `trail`, each once, read without towpath."""
    import gzip

    events = set()
    for path in sorted(trail.rglob("*.json*")):
        if not {"CloudTrail", "CloudTrail-NetworkActivity"} & set(path.parts):
            continue
        content = path.read_bytes()
        try:
            text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        except EOFError:
            continue
        events |= {json.dumps(record, sort_keys=True) for record in json.loads(text)["Records"]}
    return events


@pytest.fixture(scope="session")
def s3():
    """A real S3 server on loopback, which has queues too: (endpoint, client). Stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = dict(os.environ, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), SERVICES="s3,sqs")
    command = Path(sys.executable).parent / "ministack"
    server = subprocess.Popen([command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    deadline = time.monotonic() + STARTUP_SECS_MAX
    while True:
        try:
            client.list_buckets()
            break
        except Exception:
            assert server.poll() is None, "ministack ended while starting"
            assert time.monotonic() < deadline, "ministack did not answer in time"
            time.sleep(0.2)
    yield endpoint, client
    server.terminate()
    server.wait(timeout=10)


@pytest.fixture
def bucket(s3):
    """A new bucket's name."""
    name = f"towpath-{uuid.uuid4().hex[:12]}"
    s3[1].create_bucket(Bucket=name)
    return name


@pytest.fixture
def local(binary, tmp_path):
    """towpath on a new local lake."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return Towpath(binary, str(tmp_path / "lake"), env)


@pytest.fixture
def remote(binary, s3, bucket, tmp_path):
    """towpath on a new lake in a bucket."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3[0],
        "AWS_ALLOW_HTTP": "true",
    }
    return Towpath(binary, f"s3://{bucket}/lake", env)


@pytest.fixture
def upload(s3):
    """Copies a trail below `prefix` of a bucket."""

    def copy(trail, bucket, prefix="", keep=lambda path: True):
        keys = []
        for path in sorted(trail.rglob("*")):
            if path.is_file() and keep(path):
                key = prefix + path.relative_to(trail).as_posix()
                s3[1].put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
                keys.append(key)
        return keys

    return copy
