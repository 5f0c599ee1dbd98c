"""Batch queries across processes, and delivered results as other tools check and read them."""

import base64
import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_der_public_key

ACCOUNT = "111122223333"
NAMES = "SELECT n, 'row, number ' || CAST(n AS varchar) AS name FROM UNNEST(sequence(1, 2500)) AS t(n)"
SLOW = (
    "SELECT count(*) AS n FROM UNNEST(sequence(1, 3000)) AS a(x), "
    "UNNEST(sequence(1, 3000)) AS b(y) WHERE x * y % 7 = 1"
)


@pytest.fixture(params=["local", "remote"])
def lake(request):
    """A lake with a store, in a folder and in a bucket."""
    lake = request.getfixturevalue(request.param)
    lake.env["TOWPATH_KEY_PASSPHRASE"] = "correct horse battery staple"
    lake.run("store", "create", "trail")
    return lake


def submit(lake, statement, *options):
    return lake.run("job", "submit", "--no-worker", statement, *options).stdout.strip()


def status(lake, query):
    return json.loads(lake.run("job", "status", query, "--format", "json").stdout)


def reaches(lake, query, expected, secs_max=120):
    deadline = time.monotonic() + secs_max
    while (found := status(lake, query))["status"] != expected:
        assert time.monotonic() < deadline, f"not {expected}: {found}"
        time.sleep(0.1)
    return found


def rows(lake, query):
    out = lake.run("job", "results", query, "--format", "ndjson").stdout
    return [json.loads(line) for line in out.splitlines()]


def delivered_files(lake, s3, folder):
    """The content of each file of a delivered result, by name."""
    if not folder.startswith("s3://"):
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    listed = s3[1].list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    keys = [item["Key"] for item in listed]
    return {
        key.rsplit("/", 1)[1]: s3[1].get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys
    }


def verify_as_aws_does(files, public_keys):
    """What `aws cloudtrail verify-query-results` does, by the steps that AWS documents."""
    sign_file = json.loads(files["result_sign.json"])
    assert sign_file["files"], "No export file was found in sign file."
    for entry in sign_file["files"]:
        assert hashlib.sha256(files[entry["fileName"]]).hexdigest() == entry["fileHashValue"]
    der = base64.b64decode(public_keys[sign_file["publicKeyFingerprint"]])
    signed = " ".join(entry["fileHashValue"] for entry in sign_file["files"])
    load_der_public_key(der).verify(
        bytes.fromhex(sign_file["hashSignature"]), signed.encode(), PKCS1v15(), hashes.SHA256()
    )
    return sign_file


def test_delivered_results_are_as_aws_and_duckdb_want_them(lake, s3, bucket, tmp_path):
    target = str(tmp_path / "out") if "://" not in lake.lake else f"s3://{bucket}/results"
    query = submit(lake, NAMES, "--deliver", target, "--account", ACCOUNT, "--region", "eu-west-1")
    lake.run("job", "run", "--until-idle")
    found = status(lake, query)
    assert (found["status"], found["delivery_status"]) == ("FINISHED", "SUCCESS"), found

    day = found["ended_at"].split(" ")[0].replace("-", "/")
    layout = f"AWSLogs/{ACCOUNT}/CloudTrail-Lake/Query/{day}/{query}"
    assert found["delivery"].endswith(layout)
    files = delivered_files(lake, s3, found["delivery"])
    assert sorted(files) == ["result_1.csv.gz", "result_sign.json"]

    listed = lake.run("job", "keys", "--format", "ndjson").stdout
    keys = [json.loads(line) for line in listed.splitlines()]
    public_keys = {key["fingerprint"]: key["public_key"] for key in keys}
    for fingerprint, key in public_keys.items():
        assert hashlib.md5(base64.b64decode(key)).hexdigest() == fingerprint
    sign_file = verify_as_aws_does(files, public_keys)
    assert sign_file["version"] == "1.0"
    assert sign_file["region"] == "eu-west-1"
    assert (sign_file["hashAlgorithm"], sign_file["signatureAlgorithm"]) == ("SHA-256", "SHA256withRSA")
    time.strptime(sign_file["queryCompleteTime"], "%Y-%m-%dT%H:%M:%SZ")

    other = dict(sign_file, hashSignature="00" * 256)
    with pytest.raises(InvalidSignature):
        verify_as_aws_does({**files, "result_sign.json": json.dumps(other)}, public_keys)

    csv = tmp_path / "result_1.csv.gz"
    csv.write_bytes(files["result_1.csv.gz"])
    read = duckdb.sql(f"SELECT n, name FROM read_csv('{csv}', header = true) ORDER BY n").fetchall()
    assert read == [(row["n"], row["name"]) for row in rows(lake, query)]
    assert len(read) == 2500
    lake.run("job", "verify", found["delivery"])


def test_the_query_of_a_killed_worker_is_taken_over(local):
    local.run("store", "create", "trail")
    query = submit(local, SLOW)
    worker = local.start("job", "run", stderr=subprocess.DEVNULL)
    reaches(local, query, "RUNNING")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert status(local, query)["status"] == "RUNNING", "nobody can know yet"

    local.run("job", "run", "--until-idle")
    assert status(local, query)["status"] == "FINISHED"
    expected = sum(1 for x in range(1, 3001) for y in range(1, 3001) if x * y % 7 == 1)
    assert rows(local, query) == [{"n": expected}]


def test_two_workers_share_a_queue_and_run_each_query_once(lake):
    queries = [submit(lake, f"SELECT {n} AS n") for n in range(12)]
    workers = [
        lake.start("job", "run", "--until-idle", stderr=subprocess.PIPE) for _ in range(2)
    ]
    ended = 0
    for worker in workers:
        _, stderr = worker.communicate(timeout=300)
        assert worker.returncode == 0, stderr
        ended += int(stderr.split(" ")[0])
    assert ended == len(queries)
    assert [rows(lake, query) for query in queries] == [[{"n": n}] for n in range(12)]


def test_a_bucket_keeps_no_private_key_without_a_passphrase(remote, bucket):
    remote.run("store", "create", "trail")
    query = submit(remote, "SELECT 1 AS n", "--deliver", f"s3://{bucket}/out")
    remote.run("job", "run", "--until-idle")
    found = status(remote, query)
    assert (found["status"], found["delivery_status"]) == ("FINISHED", "FAILED_SIGNING_FILE")
    assert rows(remote, query) == [{"n": 1}]


def test_a_background_worker_outlives_the_command_on_a_bucket(lake):
    query = lake.run("job", "submit", NAMES).stdout.strip()
    assert reaches(lake, query, "FINISHED")["rows"] == 2500
    assert [row["n"] for row in rows(lake, query)] == list(range(1, 2501))
