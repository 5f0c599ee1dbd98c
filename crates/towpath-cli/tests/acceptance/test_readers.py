"""Other tools read the same files and count the same."""

import duckdb
from deltalake import DeltaTable


def store_folder(local):
    import json

    shown = json.loads(local.run("store", "show", "trail", "--format", "json").stdout)
    return f"{local.lake}/stores/{shown['id']}"


def test_deltalake_and_duckdb_count_what_towpath_counts(local, trail, different_events):
    local.run("store", "create", "trail")
    local.ingest(trail, store="trail", code=local_code(trail))
    folder = store_folder(local)

    table = DeltaTable(folder)
    assert local.count("trail") == len(different_events)
    assert table.count() == len(different_events)

    files = table.file_uris()
    count = duckdb.sql(f"SELECT count(*) FROM read_parquet({files})").fetchall()[0][0]
    assert count == len(different_events)


def test_duckdb_reads_the_columns_under_cloudtrails_names(local, trail):
    local.run("store", "create", "trail")
    local.ingest(trail, store="trail", code=local_code(trail))
    files = DeltaTable(store_folder(local)).file_uris()

    theirs = duckdb.sql(
        f"SELECT eventID, userIdentity_arn, requestParameters['bucketName'] AS bucket"
        f" FROM read_parquet({files}) WHERE eventName = 'DeleteBucket' ORDER BY eventID"
    ).fetchall()
    ours = local.rows(
        "SELECT eventID, userIdentity.arn AS arn, element_at(requestParameters, 'bucketName') AS b"
        " FROM trail WHERE eventName = 'DeleteBucket' ORDER BY eventID"
    )
    assert theirs and theirs == [(row["eventID"], row["arn"], row["b"]) for row in ours]


def test_connect_duckdb_presents_rows_as_towpath_does(local, trail):
    local.run("store", "create", "trail")
    local.ingest(trail, store="trail", code=local_code(trail))
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(local.run("connect", "duckdb", "--store", "trail", "--files").stdout)

    theirs = duckdb.sql(QUESTION.replace("trail", '"trail"')).fetchall()
    ours = local.rows(QUESTION)
    assert theirs and theirs == [tuple(row.values()) for row in ours]


def test_connect_polars_presents_rows_as_towpath_does(local, trail):
    local.run("store", "create", "trail")
    local.ingest(trail, store="trail", code=local_code(trail))
    for options in ([], ["--files"]):
        scope = {}
        exec(local.run("connect", "polars", "--store", "trail", *options).stdout, scope)
        rows = scope["events"].collect()
        assert rows.height == local.count("trail")
        arns = rows.filter(rows["eventName"] == "DeleteBucket")["userIdentity"].struct.field("arn")
        ours = local.rows("SELECT userIdentity.arn AS arn FROM trail WHERE eventName = 'DeleteBucket'")
        assert sorted(arns) == sorted(row["arn"] for row in ours)


def test_connect_prints_delta_for_every_tool(local):
    local.run("store", "create", "org-trail", "--retention-days", "365")
    folder = local.lake + "/stores/"
    for tool, words in {
        "duckdb": ["delta_scan('" + folder, 'VIEW "org-trail"', "INTERVAL 365 DAY"],
        "polars": ["pl.scan_delta(\"" + folder, "timedelta(days=365)"],
        "spark": ["delta.`" + folder, "VIEW `org-trail`", "named_struct('type', `userIdentity_type`"],
        "trino": ["register_table('towpath', 'org_trail_files', '" + folder, 'AS ROW("type" varchar'],
    }.items():
        text = local.run("connect", tool, "--store", "org-trail").stdout
        assert [word for word in words if word not in text] == [], text
    local.run("connect", "trino", "--store", "org-trail", "--files", code=2)


QUESTION = (
    "SELECT eventID, userIdentity.arn AS arn, userIdentity.sessionContext.attributes.mfaAuthenticated AS mfa,"
    " calendarday FROM trail WHERE eventName IN ('DeleteBucket', 'ConsoleLogin') ORDER BY eventID"
)


def local_code(trail):
    """The bundled trail has one broken log file: an ingest of it is done in part."""
    return 3 if trail.name == "trail" else 0
