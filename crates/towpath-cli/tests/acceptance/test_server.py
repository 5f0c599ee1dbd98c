"""AWS's own clients, as they are, against `towpath serve`."""

import gzip
import json
import os
import re
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import STARTUP_SECS_MAX, Towpath

KEY = {"aws_access_key_id": "AKIDTEST", "aws_secret_access_key": "not-a-secret"}
LOG_NAME = "111122223333_CloudTrail_eu-west-1_20260101T0000Z_aB3dE5fG7hJ9kL1m.json.gz"


class Server:
    def __init__(self, towpath, url, process):
        self.towpath, self.url, self.process = towpath, url, process

    def client(self, service="cloudtrail", verify=None, **key):
        config = Config(retries={"max_attempts": 1}, parameter_validation=False)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            config=config,
            verify=verify,
            **(key or KEY),
        )

    def cpu_seconds(self):
        """Seconds of processor that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(binary, folder, *arguments, env=()):
    """A server on the lake of `folder`, which must end well when it is asked to."""
    (folder / "logs").mkdir(exist_ok=True)
    keys = folder / "keys.toml"
    keys.write_text(
        '[[key]]\naccess_key_id = "AKIDREADER"\nsecret_access_key = "also-none"\n'
        'principal = "reader"\n[[key.grant]]\noperations = ["*Query*", "Get*"]\n'
        'stores = ["mine"]\n'
        '[[key]]\naccess_key_id = "AKIDACCOUNT"\nsecret_access_key = "also-none"\n'
        'principal = "tenant"\n[[key.grant]]\noperations = ["*"]\nstores = ["shared"]\n'
        'accounts = ["444455556666"]\n'
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TOWPATH_ACCESS_KEY_ID": KEY["aws_access_key_id"],
        "TOWPATH_SECRET_ACCESS_KEY": KEY["aws_secret_access_key"],
        **dict(env),
    }
    towpath = Towpath(binary, str(folder / "lake"), environment)
    common = ["serve", "--listen", "127.0.0.1:0", "--account-id", "123456789012"]
    common += ["--keys", str(keys), "--import-folder", str(folder / "logs")]
    process = towpath.start(*common, *arguments, stderr=subprocess.PIPE)
    line = ""
    deadline = time.monotonic() + STARTUP_SECS_MAX
    while "serving lake" not in line:
        assert time.monotonic() < deadline and process.poll() is None, line
        line = process.stderr.readline()
    # Nobody reads the log of the server; a full pipe must not stop it.
    with open(folder / "server.log", "a") as log:
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
    yield Server(towpath, re.search(r"https?://\S+", line)[0], process)
    process.terminate()
    assert process.wait(timeout=60) == 0, "a server that is asked to stop ends well"
    drain.wait(timeout=10)
    text = (folder / "server.log").read_text()
    assert KEY["aws_secret_access_key"] not in text and "canary" not in text


@pytest.fixture
def server(binary, tmp_path):
    with serving(binary, tmp_path) as running:
        yield running


def event(name, minutes):
    at = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "Root", "accountId": "111122223333"},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {"bucketName": "canary"},
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def fill(server, store, events):
    path = Path(server.towpath.lake).parent / "logs" / LOG_NAME
    path.write_bytes(gzip.compress(json.dumps({"Records": events}).encode()))
    assert server.towpath.ingest(path, store=store)["events"]["stored"] == len(events)


def new_store(client, name="trail"):
    created = client.create_event_data_store(Name=name, TerminationProtectionEnabled=False)
    return created["EventDataStoreArn"].rsplit("/", 1)[1]


def ended(client, query):
    for _ in range(600):
        described = client.describe_query(QueryId=query)
        if described["QueryStatus"] not in ("QUEUED", "RUNNING"):
            return described
        time.sleep(0.1)
    raise AssertionError("the query does not end")


def test_a_script_starts_polls_and_pages(server):
    client = server.client()
    store = new_store(client)
    fill(server, store, [event("GetObject", n) for n in range(50)])
    statement = f"SELECT a.eventID, b.eventTime FROM {store} a CROSS JOIN {store} b;"
    query = client.start_query(QueryStatement=statement)["QueryId"]
    described = ended(client, query)
    assert described["QueryStatus"] == "FINISHED", described
    assert isinstance(described["QueryStatistics"]["CreationTime"], datetime)
    rows, token = [], {}
    while True:
        page = client.get_query_results(QueryId=query, MaxQueryResults=1000, **token)
        rows += page["QueryResultRows"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(rows) == 2500
    assert [list(cell) for cell in rows[0]] == [["eventID"], ["eventTime"]]


def test_errors_are_raised_under_their_names(server):
    client = server.client()
    store = new_store(client)
    with pytest.raises(client.exceptions.EventDataStoreAlreadyExistsException):
        client.create_event_data_store(Name="trail")
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.create_event_data_store(Name="bad name")
    with pytest.raises(client.exceptions.InvalidQueryStatementException):
        client.start_query(QueryStatement=f"DROP TABLE {store}")
    with pytest.raises(client.exceptions.QueryIdNotFoundException):
        client.describe_query(QueryId=str(uuid.uuid4()))
    query = client.start_query(QueryStatement=f"SELECT 1 FROM {store}")["QueryId"]
    ended(client, query)
    with pytest.raises(client.exceptions.InactiveQueryException):
        client.cancel_query(QueryId=query)
    client.delete_event_data_store(EventDataStore=store)
    with pytest.raises(client.exceptions.InactiveEventDataStoreException):
        client.start_query(QueryStatement=f"SELECT 1 FROM {store}")
    assert client.restore_event_data_store(EventDataStore=store)["Status"] == "ENABLED"


def test_a_wrong_secret_is_forbidden(server):
    client = server.client(aws_access_key_id="AKIDTEST", aws_secret_access_key="wrong")
    with pytest.raises(ClientError) as raised:
        client.list_event_data_stores()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert raised.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_a_key_of_the_file_may_do_what_it_is_granted(server):
    client = server.client()
    mine, other = new_store(client, "mine"), new_store(client, "other")
    reader = server.client(aws_access_key_id="AKIDREADER", aws_secret_access_key="also-none")
    reader.start_query(QueryStatement=f"SELECT 1 FROM {mine}")
    for call in (
        lambda: reader.start_query(QueryStatement=f"SELECT 1 FROM {other}"),
        lambda: reader.delete_event_data_store(EventDataStore=mine),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def test_every_paginator_covers_its_list(server):
    client = server.client()
    store = new_store(client)
    fill(server, store, [event("GetObject", n) for n in range(7)])
    pages = client.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 3})
    events = [event for page in pages for event in page["Events"]]
    assert len({event["EventId"] for event in events}) == 7
    assert all(isinstance(event["EventTime"], datetime) for event in events)
    source = {
        "S3": {
            "S3LocationUri": f"file://{Path(server.towpath.lake).parent}/logs",
            "S3BucketRegion": "us-east-1",
            "S3BucketAccessRoleArn": "arn:aws:iam::123456789012:role/import",
        }
    }
    imports = set()
    for _ in range(3):
        started = client.start_import(Destinations=[store], ImportSource=source)
        imports.add(started["ImportId"])
        while True:
            found = client.get_import(ImportId=started["ImportId"])
            if found["ImportStatus"] not in ("INITIALIZING", "IN_PROGRESS"):
                break
            time.sleep(0.1)
        assert found["ImportStatus"] == "COMPLETED", found
    pages = client.get_paginator("list_imports").paginate(PaginationConfig={"PageSize": 2})
    assert {item["ImportId"] for page in pages for item in page["Imports"]} == imports
    pages = client.get_paginator("list_import_failures").paginate(ImportId=imports.pop())
    assert [item for page in pages for item in page["Failures"]] == []
    arn = client.get_event_data_store(EventDataStore=store)["EventDataStoreArn"]
    client.add_tags(ResourceId=arn, TagsList=[{"Key": "a", "Value": "b"}])
    pages = client.get_paginator("list_tags").paginate(ResourceIdList=[arn])
    assert [tag for page in pages for tag in page["ResourceTagList"]] == [
        {"ResourceId": arn, "TagsList": [{"Key": "a", "Value": "b"}]}
    ]
    for name, key in (("list_trails", "Trails"), ("list_public_keys", "PublicKeyList")):
        for page in client.get_paginator(name).paginate():
            assert isinstance(page[key], list)


def test_the_aws_command_works_as_it_is(server, tmp_path):
    aws = [Path(sys.executable).parent / "aws"]
    env = os.environ | {
        "AWS_ENDPOINT_URL_CLOUDTRAIL": server.url,
        "AWS_ACCESS_KEY_ID": KEY["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEY["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "HOME": str(tmp_path),
    }

    def run(*arguments, code=0):
        done = subprocess.run(
            [*aws, "cloudtrail", *arguments, "--output", "json"],
            env=env, text=True, capture_output=True, timeout=120,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr

    created = run(
        "create-event-data-store", "--name", "eds-a",
        "--billing-mode", "FIXED_RETENTION_PRICING", "--no-start-ingestion",
    )
    assert created["RetentionPeriod"] == 2557
    store = created["EventDataStoreArn"]
    found = run("get-event-data-store", "--event-data-store", store)
    assert found["Status"] == "STOPPED_INGESTION"
    assert run("list-event-data-stores")["EventDataStores"] == [
        {"EventDataStoreArn": store, "Name": "eds-a"}
    ]
    assert "TerminationProtected" in run("delete-event-data-store", "--event-data-store", store, code=255)
    name = store.rsplit("/", 1)[1]
    query = run("start-query", "--query-statement", f"SELECT count(*) AS n FROM {name}")["QueryId"]
    while run("describe-query", "--query-id", query)["QueryStatus"] in ("QUEUED", "RUNNING"):
        time.sleep(0.2)
    rows = run("get-query-results", "--query-id", query)["QueryResultRows"]
    assert rows == [[{"n": "0"}]]


def test_many_clients_at_once_get_answers(server):
    client = server.client()
    store = new_store(client)
    fill(server, store, [event("GetObject", n) for n in range(20)])
    query = client.start_query(QueryStatement=f"SELECT eventName FROM {store}")["QueryId"]
    ended(client, query)
    seconds = float(os.environ.get("TOWPATH_LOAD_SECS", "5"))
    before = server.cpu_seconds()
    end = time.monotonic() + seconds

    def work(_):
        own, times = server.client(), []
        while time.monotonic() < end:
            for call in (
                lambda: own.list_event_data_stores(),
                lambda: own.get_event_data_store(EventDataStore=store),
                lambda: own.get_query_results(QueryId=query),
                lambda: own.lookup_events(MaxResults=5),
            ):
                begun = time.monotonic()
                call()
                times.append(time.monotonic() - begun)
        return times

    with ThreadPoolExecutor(50) as pool:
        times = sorted(time for some in pool.map(work, range(50)) for time in some)
    at = lambda share: f"{times[int(len(times) * share)] * 1000:.0f} ms"
    used = (server.cpu_seconds() - before) / len(times) * 1000
    print(f"{len(times)} requests in {seconds:.0f} s: median {at(0.5)}, p99 {at(0.99)}, {used:.1f} ms of CPU each")
    # An error would have been raised by its client.
    assert len(times) > 200
