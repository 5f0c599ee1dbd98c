"""The Python package, built and installed in a new virtual environment as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = ROOT / "crates" / "towpath-python"


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """The interpreter of a new environment that has the package and what it hands rows to."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    interpreter = folder / "venv" / "bin" / "python"
    # The profile of the tests: a release build would take half an hour.
    maturin = Path(sys.executable).parent / "maturin"
    wheels = folder / "wheels"
    subprocess.run(
        [maturin, "build", "--quiet", "--profile", "dev", "--strip", "--out", wheels],
        cwd=PACKAGE,
        check=True,
    )
    (wheel,) = wheels.glob("towpath-*.whl")
    requirements = Path(__file__).parent / "requirements-python.txt"
    pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", requirements, wheel], check=True)
    return interpreter


@pytest.fixture
def run(python, tmp_path):
    def run(code):
        code = f"import towpath\nLAKE = {str(tmp_path / 'lake')!r}\nROOT = {str(ROOT)!r}\n" + code
        done = subprocess.run([python, "-c", code], text=True, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


FILLED = """
lake = towpath.Lake(LAKE, create=True)
store = lake.create_store("trail", retention_days=2557)
report = store.ingest(ROOT + "/data/trail")
"""


def test_ingest_once_and_query_into_every_kind_of_table(run):
    run(
        FILLED
        + """
import duckdb, pyarrow

events = report["events"]["stored"]
assert events > 5000 and len(report["rejected"]) == 1, report
assert store.ingest([ROOT + "/data/trail"])["events"]["stored"] == 0
assert store.summary()["events"] == events
assert [store.name for store in lake.stores()] == ["trail"]
assert lake.store(store.id).retention_days == 2557

statement = "SELECT eventName, count(*) AS n FROM trail GROUP BY 1 ORDER BY 2 DESC, 1"
expected = lake.query(statement).to_pylist()
assert sum(row["n"] for row in expected) == events
assert lake.query(statement).to_polars().to_dicts() == expected
assert lake.query(statement).to_pandas().to_dict("records") == expected
reader = pyarrow.RecordBatchReader.from_stream(lake.query("SELECT eventID FROM trail"))
assert duckdb.from_arrow(reader).aggregate("count(*)").fetchall() == [(events,)]

rows = lake.query("SELECT userIdentity, requestParameters, resources FROM trail LIMIT 5")
assert rows.columns == ["userIdentity", "requestParameters", "resources"]
assert rows.to_pyarrow().num_rows == 5
assert rows.statistics()["rows"] == 5 and rows.statistics()["bytes_scanned"] > 0
"""
    )


def test_errors_are_exceptions_that_say_what_to_do(run):
    run(
        FILLED
        + """
def raised(kind, call):
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind}")

text = raised(towpath.InvalidStatement, lambda: lake.query("SELECT evntName FROM trail"))
assert text.startswith("line 1:8: Column 'evntName' cannot be resolved") and "\\n       ^" in text, text
assert "did you mean" in raised(towpath.StoreNotFound, lambda: lake.query("SELECT 1 FROM tral"))
zero = "SELECT 1 / (length(eventName) - length(eventName)) FROM trail"
raised(towpath.EvaluationError, lambda: lake.query(zero).to_pyarrow())
every = "SELECT eventID FROM trail"
raised(towpath.LimitExceeded, lambda: lake.query(every, rows_max=3).to_pyarrow())
long = "SELECT count(*) FROM trail a, trail b, trail c WHERE a.eventID < b.eventName || c.eventID"
raised(towpath.LimitExceeded, lambda: lake.query(long, seconds_max=1).to_pyarrow())
assert "is not a lake" in raised(towpath.TowpathError, lambda: towpath.Lake(LAKE + "-none"))
assert "7 to 3653" in raised(ValueError, lambda: lake.create_store("short", retention_days=3))
raised(ValueError, lambda: lake.create_store("other", id="no-uuid"))
rows = lake.query("SELECT 1 AS one")
rows.to_pyarrow()
assert "run the query again" in raised(RuntimeError, rows.to_pyarrow)
"""
    )


def test_several_lakes_and_threads_in_one_process(run):
    run(
        """
from concurrent.futures import ThreadPoolExecutor

lakes = [towpath.Lake(f"{LAKE}-{n}", create=True) for n in range(3)]
for lake in lakes:
    lake.create_store("trail").ingest(ROOT + "/data/trail/AWSLogs")
statement = "SELECT count(*) AS n FROM trail"
with ThreadPoolExecutor(6) as pool:
    counts = list(pool.map(lambda lake: lake.query(statement).to_pylist()[0]["n"], lakes * 4))
assert len(set(counts)) == 1 and counts[0] > 5000, counts
"""
    )


def test_the_type_stubs_name_everything(run):
    out = run(
        """
for cls in (towpath.Lake, towpath.Store, towpath.Rows):
    for name in sorted(vars(cls)):
        if not name.startswith("_"):
            print(cls.__name__, name)
"""
    )
    stubs = (PACKAGE / "python" / "towpath" / "__init__.pyi").read_text()
    for line in out.splitlines():
        cls, name = line.split()
        body = stubs.split(f"class {cls}:")[1].split("\nclass ")[0]
        assert f"def {name}(" in body, line


def test_the_notebook_runs(python, tmp_path):
    code = f"""
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read({str(PACKAGE / "notebook.ipynb")!r}, as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3", resources={{"metadata": {{"path": {str(PACKAGE)!r}}}}}).execute()
outputs = [str(cell.get("outputs")) for cell in notebook.cells if cell.cell_type == "code"]
assert any("DeleteBucket" in output for output in outputs), outputs
"""
    env = dict(os.environ, HOME=str(tmp_path), TMPDIR=str(tmp_path))
    env["PATH"] = f"{python.parent}:{env['PATH']}"
    done = subprocess.run([python, "-c", code], text=True, capture_output=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr


def test_parameters_by_place_and_by_name(run):
    run(
        FILLED
        + """
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

def value(statement, parameters):
    return list(lake.query(statement, parameters).to_pylist()[0].values())[0]

for given in [True, 7, -(2**63), 1.5, "x' OR '1'='1", b"\\x00\\xff", date(2026, 1, 2)]:
    assert value("SELECT ?", [given]) == given, given
assert value("SELECT ?", (None,)) is None
assert value("SELECT CAST(? AS varchar)", [Decimal("-12.50")]) == "-12.50"
assert value("SELECT CAST(? AS varchar)", [Decimal("1E+3")]) == "1000"
id = UUID(int=7)
assert value("SELECT ?", [id]) == str(id)
moment = datetime(2026, 1, 2, 3, 4, 5, 123000)
assert value("SELECT CAST(:at AS varchar)", {"at": moment}) == "2026-01-02 03:04:05.123"
zoned = moment.replace(tzinfo=timezone(timedelta(hours=2)))
assert value("SELECT :at = timestamp '2026-01-02 01:04:05.123 UTC'", {"at": zoned}) is True

count = "SELECT count(*) FROM trail WHERE eventName = :name"
found = value(count, {"name": "DeleteBucket"})
assert found == value(count.replace(":name", "?"), ["DeleteBucket"]) > 0
assert value(count, {"NAME": "' OR 1 = 1 --"}) == 0

for parameters, error in [
    ([], towpath.InvalidStatement),
    ([1, 2], towpath.InvalidStatement),
    ([object()], TypeError),
    ([Decimal("NaN")], TypeError),
    ([2**63], OverflowError),
    ("x", TypeError),
    ({1: 2}, TypeError),
]:
    try:
        lake.query("SELECT ?", parameters)
    except error:
        continue
    raise AssertionError(parameters)
"""
    )


def test_the_audit_trail_names_the_user_or_the_program(run):
    run(
        FILLED
        + """
import getpass

report = towpath.Lake(LAKE, application="report")
list(report.query("SELECT 1 FROM trail WHERE eventName = ?", ["canary"]).to_pylist())
who = (
    "SELECT userIdentity.userName, element_at(requestParameters, 'queryParameters') "
    "FROM towpath-audit WHERE eventName = :name"
)
(asked,) = lake.query(who, {"name": "StartQuery"}).to_pylist()
user, parameters = asked.values()
assert user == "report" and "canary" in parameters, asked
(made,) = lake.query(who, {"name": "CreateEventDataStore"}).to_pylist()
assert list(made.values())[0] == getpass.getuser(), made
"""
    )
