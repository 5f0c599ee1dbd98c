"""What AWS's own clients do with `towpath serve` beyond single calls."""

import base64
import gzip
import hashlib
import json
import os
import socket
import ssl
import subprocess
import time
import uuid
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, SSLError
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from test_jobs import verify_as_aws_does
from test_server import KEY, ended, event, fill, new_store, server, serving  # noqa: F401

JAVASCRIPT = Path(__file__).parent / "javascript"
# Computes for hours and reads nothing.
# Never ends, and yields often enough in a debug build too.
HUNDRED = "UNNEST(sequence(1, 100)) AS "
ENDLESS = (
    f"SELECT count(*) FROM {HUNDRED} a(u), {HUNDRED} b(v), {HUNDRED} c(w), {HUNDRED} d(x), "
    f"{HUNDRED} e(y), {HUNDRED} f(z) WHERE u * v + w * x + y * z = 7"
)


def becomes(client, query, *statuses):
    for _ in range(600):
        described = client.describe_query(QueryId=query)
        if described["QueryStatus"] in statuses:
            return described
        time.sleep(0.05)
    raise AssertionError(described)


def test_javascript_works_as_it_is(server):
    modules = os.environ.get("TOWPATH_NODE_MODULES")
    assert modules and Path(modules).is_dir(), "TOWPATH_NODE_MODULES must name what npm installed"
    script = Path(modules).parent / "lake.mjs"
    script.write_text((JAVASCRIPT / "lake.mjs").read_text())
    new_store(server.client(), "another")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(Path(server.towpath.lake).parent),
        "AWS_ENDPOINT_URL_CLOUDTRAIL": server.url,
        "AWS_ACCESS_KEY_ID": KEY["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEY["aws_secret_access_key"],
        "AWS_REGION": "eu-north-1",
    }
    done = subprocess.run(["node", script], env=env, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"rows": 2500, "stores": 2, "looked": 0}


def test_results_are_delivered_to_a_bucket_and_verified(binary, tmp_path, s3, bucket):
    endpoint, storage = s3
    env = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
    }

    def delivered(client, **where):
        query = client.start_query(QueryStatement="SELECT n FROM UNNEST(sequence(1, 2500)) t(n)", **where)
        ended(client, query["QueryId"])
        for _ in range(600):
            found = client.describe_query(**query_id(query))
            if found["DeliveryStatus"] != "PENDING":
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    query_id = lambda query: {"QueryId": query["QueryId"]}
    with serving(binary, tmp_path, env=env) as running:
        client = running.client()
        found = delivered(client, DeliveryS3Uri=f"s3://{bucket}/out")
        assert found["DeliveryStatus"] == "SUCCESS", found
        assert found["DeliveryS3Uri"] == f"s3://{bucket}/out"
        day = datetime.now(timezone.utc).strftime("%Y/%m/%d")
        prefix = f"out/AWSLogs/123456789012/CloudTrail-Lake/Query/{day}/{found['QueryId']}/"
        keys = [item["Key"] for item in storage.list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]]
        assert sorted(keys) == [prefix + "result_1.csv.gz", prefix + "result_sign.json"]
        read = lambda key: storage.get_object(Bucket=bucket, Key=key)["Body"].read()
        files = {key.removeprefix(prefix): read(key) for key in keys}
        lines = gzip.decompress(files["result_1.csv.gz"]).decode().splitlines()
        assert lines == ["n", *map(str, range(1, 2501))]
        # As AWS's command asks for them: by the time of the query.
        signed_at = json.loads(files["result_sign.json"])["queryCompleteTime"]
        signed_at = datetime.strptime(signed_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        listed = client.list_public_keys(StartTime=signed_at, EndTime=signed_at + timedelta(days=20))
        public = {
            key["Fingerprint"]: base64.b64encode(key["Value"]).decode() for key in listed["PublicKeyList"]
        }
        for key in listed["PublicKeyList"]:
            assert hashlib.md5(key["Value"]).hexdigest() == key["Fingerprint"]
        assert verify_as_aws_does(files, public)["region"] == "us-east-1"
        altered = files | {"result_1.csv.gz": files["result_1.csv.gz"][:-1] + b"x"}
        with pytest.raises(AssertionError):
            verify_as_aws_does(altered, public)
        sign = json.loads(files["result_sign.json"])
        sign["files"][0]["fileHashValue"] = hashlib.sha256(altered["result_1.csv.gz"]).hexdigest()
        with pytest.raises(InvalidSignature):
            verify_as_aws_does(altered | {"result_sign.json": json.dumps(sign)}, public)

        nowhere = delivered(client, DeliveryS3Uri=f"s3://none-{uuid.uuid4().hex}/out")
        assert nowhere["QueryStatus"] == "FINISHED"
        assert nowhere["DeliveryStatus"] == "RESOURCE_NOT_FOUND", nowhere
        # A key that may query may not make the server write where it likes.
        new_store(client, "mine")
        reader = running.client(aws_access_key_id="AKIDREADER", aws_secret_access_key="also-none")
        with pytest.raises(ClientError) as raised:
            reader.start_query(QueryStatement="SELECT 1 FROM mine", DeliveryS3Uri=f"s3://{bucket}/x")
        assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_tenant_sees_its_own_account_alone(server):
    client = server.client()
    store = new_store(client, "shared")
    theirs = event("DeleteBucket", 3) | {"recipientAccountId": "444455556666"}
    fill(server, store, [event("GetObject", 1), event("PutObject", 2), theirs])
    tenant = server.client(aws_access_key_id="AKIDACCOUNT", aws_secret_access_key="also-none")
    query = tenant.start_query(QueryStatement=f"SELECT eventName FROM {store}")["QueryId"]
    assert ended(tenant, query)["QueryStatus"] == "FINISHED"
    rows = tenant.get_query_results(QueryId=query)["QueryResultRows"]
    assert rows == [[{"eventName": "DeleteBucket"}]]
    assert [found["EventName"] for found in tenant.lookup_events()["Events"]] == ["DeleteBucket"]
    everything = client.start_query(QueryStatement=f"SELECT eventName FROM {store}")["QueryId"]
    ended(client, everything)
    for call in (
        lambda: tenant.get_query_results(QueryId=everything),
        lambda: tenant.delete_event_data_store(EventDataStore=store),
        lambda: tenant.create_trail(Name="trail", S3BucketName="bucket"),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def certificate(folder, name):
    """A certificate for this machine that signs itself; the paths of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(cert), str(private)


def test_tls_is_spoken_and_checked(binary, tmp_path):
    cert, key = certificate(tmp_path, "towpath")
    other, _ = certificate(tmp_path, "other")
    with serving(binary, tmp_path, "--tls-cert", cert, "--tls-key", key) as running:
        assert running.url.startswith("https://")
        address = running.url.removeprefix("https://").split(":")
        address = (address[0], int(address[1]))
        # Clients that never begin to speak TLS do not keep others waiting.
        silent = [socket.create_connection(address) for _ in range(50)]
        client = running.client(verify=cert)
        store = new_store(client)
        query = client.start_query(QueryStatement=f"SELECT count(*) AS n FROM {store}")["QueryId"]
        ended(client, query)
        assert client.get_query_results(QueryId=query)["QueryResultRows"] == [[{"n": "0"}]]
        with pytest.raises(SSLError):
            running.client(verify=other).list_event_data_stores()
        with socket.create_connection(address, timeout=30) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            try:
                assert b"200" not in plain.recv(100)
            except ConnectionError:
                pass
        spoken = ssl.create_default_context(cafile=cert)
        with socket.create_connection(address, timeout=30) as raw:
            with spoken.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
                assert connection.version() == "TLSv1.3"
        for connection in silent:
            connection.close()


def test_a_cancelled_query_stops_its_work_within_a_second(server):
    client = server.client()
    query = client.start_query(QueryStatement=ENDLESS)["QueryId"]
    becomes(client, query, "RUNNING")
    begun = server.cpu_seconds()
    deadline = time.monotonic() + 60
    while server.cpu_seconds() < begun + 0.5:
        assert time.monotonic() < deadline, "the query does not work"
        time.sleep(0.1)
    client.cancel_query(QueryId=query)
    time.sleep(1)
    stopped = server.cpu_seconds()
    time.sleep(2)
    assert server.cpu_seconds() - stopped < 0.4, "the work goes on after the query is cancelled"


def test_queries_of_a_server_that_stops_or_dies_are_ended_by_the_next(binary, tmp_path):
    statement = (
        "SELECT count(*) AS n FROM UNNEST(sequence(1, 10000)) AS a(x), "
        "UNNEST(sequence(1, 3000)) AS b(y) WHERE (x + y) % 10 = 3"
    )
    with serving(binary, tmp_path) as first:
        client = first.client()
        handed_on = client.start_query(QueryStatement=statement)["QueryId"]
        becomes(client, handed_on, "RUNNING", "FINISHED")
    with serving(binary, tmp_path) as second:
        client = second.client()
        assert becomes(client, handed_on, "FINISHED")
        rows = client.get_query_results(QueryId=handed_on)["QueryResultRows"]
        assert rows == [[{"n": "3000000"}]]


# Every operation once, in an order in which each is of use; the rest of the answer is for others.
def calls(folder, arn):
    source = {
        "S3": {
            "S3LocationUri": f"file://{folder}/logs",
            "S3BucketRegion": "us-east-1",
            "S3BucketAccessRoleArn": "arn:aws:iam::123456789012:role/import",
        }
    }
    partner = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]}]
    insight = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Insight"]}]}]
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "cloudtrail:GetChannel"}
            ],
        }
    )
    widget = {"QueryStatement": "SELECT 1", "ViewProperties": {"Height": "1"}}
    store = lambda: {"EventDataStore": arn["store"]}
    trail = {"Name": "trail"}
    resource = lambda: {"ResourceId": arn["store"]}
    tags = {"TagsList": [{"Key": "a", "Value": "b"}]}
    start, end = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 2, tzinfo=timezone.utc)
    yield "CreateEventDataStore", {"Name": "main", "TerminationProtectionEnabled": False}
    yield "CreateEventDataStore", {"Name": "partner", "AdvancedEventSelectors": partner}
    yield "CreateEventDataStore", {"Name": "insights", "AdvancedEventSelectors": insight}
    yield "GetEventDataStore", store()
    yield "ListEventDataStores", {}
    yield "UpdateEventDataStore", store() | {"Name": "renamed"}
    yield "StopEventDataStoreIngestion", store()
    yield "StartEventDataStoreIngestion", store()
    yield "AddTags", resource() | tags
    yield "ListTags", {"ResourceIdList": [arn["store"]]}
    yield "RemoveTags", resource() | tags
    yield "PutResourcePolicy", {"ResourceArn": arn["store"], "ResourcePolicy": policy}
    yield "GetResourcePolicy", {"ResourceArn": arn["store"]}
    yield "DeleteResourcePolicy", {"ResourceArn": arn["store"]}
    yield "PutEventConfiguration", store() | {"MaxEventSize": "Large", "ContextKeySelectors": []}
    yield "GetEventConfiguration", store()
    yield "StartQuery", {"QueryStatement": "SELECT 1"}
    yield "DescribeQuery", {"QueryId": arn["query"]}
    yield "GetQueryResults", {"QueryId": arn["query"]}
    yield "ListQueries", store()
    yield "GenerateQuery", {"EventDataStores": [arn["store"]], "Prompt": "Which buckets were deleted?"}
    yield "SearchSampleQueries", {"SearchPhrase": "console sign in"}
    yield "StartQuery", {"QueryStatement": ENDLESS}
    yield "CancelQuery", {"QueryId": arn["query"]}
    yield "StartImport", {"Destinations": [arn["store"]], "ImportSource": source}
    yield "GetImport", {"ImportId": arn["import"]}
    yield "ListImports", {}
    yield "ListImportFailures", {"ImportId": arn["import"]}
    yield "StopImport", {"ImportId": arn["import"]}
    yield "CreateChannel", {
        "Name": "channel",
        "Source": "Custom",
        "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": arn["partner"]}],
    }
    yield "GetChannel", {"Channel": arn["channel"]}
    yield "ListChannels", {}
    yield "UpdateChannel", {"Channel": arn["channel"], "Name": "channel-2"}
    yield "DeleteChannel", {"Channel": arn["channel"]}
    yield "CreateDashboard", {"Name": "board", "Widgets": [widget]}
    yield "GetDashboard", {"DashboardId": arn["dashboard"]}
    yield "ListDashboards", {}
    yield "UpdateDashboard", {"DashboardId": arn["dashboard"], "Widgets": [widget, widget]}
    yield "StartDashboardRefresh", {"DashboardId": arn["dashboard"]}
    yield "DeleteDashboard", {"DashboardId": arn["dashboard"]}
    yield "LookupEvents", {}
    yield "CreateTrail", trail | {"S3BucketName": "trail-bucket"}
    yield "GetTrail", trail
    yield "DescribeTrails", {}
    yield "ListTrails", {}
    yield "UpdateTrail", trail | {"IncludeGlobalServiceEvents": True}
    yield "StartLogging", trail
    yield "GetTrailStatus", trail
    yield "StopLogging", trail
    selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    yield "PutEventSelectors", {"TrailName": "trail", "EventSelectors": selectors}
    yield "GetEventSelectors", {"TrailName": "trail"}
    insights = [{"InsightType": "ApiCallRateInsight"}]
    yield "PutInsightSelectors", {"TrailName": "trail", "InsightSelectors": insights}
    yield "GetInsightSelectors", {"TrailName": "trail"}
    yield "DeleteTrail", trail
    yield "ListPublicKeys", {"StartTime": start, "EndTime": end}
    yield "EnableFederation", store() | {"FederationRoleArn": "arn:aws:iam::123456789012:role/x"}
    yield "DisableFederation", store()
    yield "ListInsightsMetricData", {
        "EventSource": "s3.amazonaws.com", "EventName": "GetObject", "InsightType": "ApiCallRateInsight",
    }
    yield "ListInsightsData", {"InsightSource": arn["store"], "DataType": "InsightsEvents"}
    yield "RegisterOrganizationDelegatedAdmin", {"MemberAccountId": "444455556666"}
    yield "DeregisterOrganizationDelegatedAdmin", {"DelegatedAdminAccountId": "444455556666"}
    yield "DeleteEventDataStore", store()
    yield "RestoreEventDataStore", store()


# What is not offered says so in AWS's words, and what ended by itself cannot be stopped.
REFUSED = {
    "EnableFederation", "DisableFederation", "ListInsightsMetricData", "ListInsightsData",
    "RegisterOrganizationDelegatedAdmin", "DeregisterOrganizationDelegatedAdmin", "StopImport",
}


def test_every_operation_is_answered(server):
    client = server.client()
    folder = Path(server.towpath.lake).parent
    arn, called, refused = {}, set(), set()
    for operation, parameters in calls(folder, arn):
        called.add(operation)
        try:
            answer = client._make_api_call(operation, parameters)
        except ClientError as raised:
            error = raised.response["Error"]
            assert operation in REFUSED, (operation, error)
            declared = client.meta.service_model.operation_model(operation).error_shapes
            assert error["Code"] in {shape.name for shape in declared}, (operation, error)
            refused.add(operation)
            continue
        if operation == "CreateEventDataStore":
            arn["store" if parameters["Name"] == "main" else parameters["Name"]] = answer["EventDataStoreArn"]
        if operation == "StartQuery":
            arn["query"] = answer["QueryId"]
        for name, key in (("import", "ImportId"), ("channel", "ChannelArn"), ("dashboard", "DashboardArn")):
            arn[name] = answer.get(key, arn.get(name))
    assert called == set(client.meta.service_model.operation_names)
    assert refused <= REFUSED

    data = server.client("cloudtrail-data")
    channel = client.create_channel(
        Name="audit", Source="Custom", Destinations=[{"Type": "EVENT_DATA_STORE", "Location": arn["partner"]}]
    )
    entry = {
        "version": "1.0",
        "userIdentity": {"type": "Custom", "principalId": "jane"},
        "eventSource": "towpath.example",
        "eventName": "Approve",
        "eventTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "UID": str(uuid.uuid4()),
        "recipientAccountId": "123456789012",
    }
    put = data.put_audit_events(
        channelArn=channel["ChannelArn"], auditEvents=[{"id": "one", "eventData": json.dumps(entry)}]
    )
    assert (len(put["successful"]), put["failed"]) == (1, [])

