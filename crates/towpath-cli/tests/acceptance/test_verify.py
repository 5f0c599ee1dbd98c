"""A store in a bucket is proved, and every kind of change to its objects is found."""

import json

EVENT_ID = "SELECT eventID FROM trail WHERE sourceIPAddress IS NOT NULL AND eventID <> '' LIMIT 1"


def found(towpath, *options, code=1):
    """The kinds of findings of a verification."""
    report = towpath.run(
        "verify", "--store", "trail", "--format", "json", *options, code=code
    ).stdout
    return {finding["kind"] for finding in json.loads(report)["findings"]}


def test_every_kind_of_change_to_a_bucket_is_found(remote, s3, bucket, upload, trail, tmp_path):
    remote.env["TOWPATH_KEY_PASSPHRASE"] = "correct horse"
    client = s3[1]
    upload(trail, bucket)
    remote.run("store", "create", "trail")
    code = 3 if trail.name == "trail" else 0
    remote.ingest(f"s3://{bucket}/AWSLogs/", store="trail", code=code)
    event_id = remote.rows(EVENT_ID)[0]["eventID"]
    remote.run(
        "redact", "--store", "trail", "--event-id", event_id, "--field", "sourceIPAddress",
        "--reason", "request 7", "--by", "jdoe",
    )
    remote.run("compact", "--store", "trail")
    kept = tmp_path / "kept.json"
    remote.run("verify", "--store", "trail", "--checkpoint", str(kept))
    assert found(remote, "--anchor", str(kept), code=0) == set()

    listed = client.list_objects_v2(Bucket=bucket, Prefix="lake/stores/")["Contents"]
    keys = [entry["Key"] for entry in listed if not entry["Key"].endswith(".lease")]
    commits = sorted(key for key in keys if "/_delta_log/" in key and key.endswith(".json"))
    signed = [key for key in keys if "/_towpath/signed/" in key]
    for key in [*commits, *signed]:
        whole = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        client.put_object(Bucket=bucket, Key=key, Body=flipped)
        assert found(remote), key
        client.put_object(Bucket=bucket, Key=key, Body=whole)

    # The live data files are those of the last compaction, or of the redaction.
    data_files = [key for key in keys if key.endswith(".parquet")]
    for key in data_files[:3]:
        whole = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        client.put_object(Bucket=bucket, Key=key, Body=whole[:-1] + b"x")
        assert "file_altered" in found(remote), key
        client.delete_object(Bucket=bucket, Key=key)
        assert found(remote) & {"file_missing", "file_removed_early"}, key
        client.put_object(Bucket=bucket, Key=key, Body=whole)

    client.put_object(Bucket=bucket, Key=commits[0].rsplit("/", 1)[0] + "/notes", Body=b"x")
    assert found(remote) == {"file_unnamed"}
    client.delete_object(Bucket=bucket, Key=commits[0].rsplit("/", 1)[0] + "/notes")

    newest = client.get_object(Bucket=bucket, Key=commits[-1])["Body"].read()
    client.delete_object(Bucket=bucket, Key=commits[-1])
    assert "rolled_back" in found(remote, "--anchor", str(kept))
    client.put_object(Bucket=bucket, Key=commits[-1], Body=newest)
    assert found(remote, "--anchor", str(kept), code=0) == set()
