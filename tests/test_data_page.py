"""The lines of the page on data, run as its readers run them."""

import csv
import re
from datetime import timezone
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from viam_sync.app.viam_client import ViamClient

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
#: The lines that all parts begin with, and those of each part.
BEGINNING = CODE.findall(PAGE)[0]
PARTS: Dict[str, List[str]] = {
    title: CODE.findall(text)
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}

Run = Callable[..., Dict[str, Any]]


@pytest.fixture
def run(client: ViamClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs parts of the page in a folder of their own, and returns their variables."""
    monkeypatch.chdir(tmp_path)

    def run_parts(*titles: str) -> Dict[str, Any]:
        names: Dict[str, Any] = {"client": client}
        for code in [BEGINNING, *(code for title in titles for code in PARTS[title])]:
            exec(compile(code, "data.md", "exec"), names)
        return names

    return run_parts


@pytest.fixture
def mean(client: ViamClient) -> Any:
    """The mean temperature of the readings, as SQL has it."""
    pytest.importorskip("duckdb")
    organization = client.app_client.list_organizations()[0]
    sql = "SELECT AVG(data.readings.temperature) AS mean FROM readings WHERE component_name = 'air'"
    ((row),) = client.data_client.tabular_data_by_sql(organization.id, sql)
    return pytest.approx(row["mean"])


def test_each_part_but_those_of_text_has_code() -> None:
    assert [title for title, blocks in PARTS.items() if not blocks] == []


def test_the_loop_has_all_temperatures(run: Run, mean: Any) -> None:
    temperatures = run("A loop")["temperatures"]
    assert sum(temperatures) / len(temperatures) == mean


@pytest.mark.parametrize(("title", "packages"), [("pandas", ["pandas"]), ("Polars", ["polars", "pyarrow"])])
def test_a_data_frame_has_all_temperatures(title: str, packages: List[str], run: Run, mean: Any) -> None:
    for package in packages:
        pytest.importorskip(package)
    assert run(title)["frame"]["data.readings.temperature"].mean() == mean


def test_yesterday_has_the_readings_of_one_day(run: Run, client: ViamClient) -> None:
    pytest.importorskip("pandas")
    parquet = pytest.importorskip("pyarrow.parquet")
    names = run("Yesterday, as a data frame and as Parquet")
    rows = client.options(tz=timezone.utc).data_client.iter_tabular_data(names["air"])
    of_the_day = sum(1 for row in rows if names["day_before"] <= row.time_requested < names["today"])
    assert len(names["frame"]) == of_the_day
    assert parquet.read_table("yesterday.parquet").num_rows == of_the_day


def test_duckdb_has_all_temperatures(run: Run, mean: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    readings = run("DuckDB")["readings"]
    assert "avg(" in capsys.readouterr().out
    with duckdb.connect() as connection:
        ((found,),) = connection.execute('SELECT avg("data.readings.temperature") FROM readings').fetchall()
    assert found == mean
    assert readings.num_rows == 1008


def test_parquet_has_all_rows(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    run("Parquet")
    assert capsys.readouterr().out == "1008\n"


def test_csv_has_all_temperatures(run: Run, mean: Any, tmp_path: Path) -> None:
    run("CSV")
    with (tmp_path / "air.csv").open(newline="", encoding="utf-8") as file:
        temperatures = [float(row["data.readings.temperature"]) for row in csv.DictReader(file)]
    assert sum(temperatures) / len(temperatures) == mean


def test_a_query_counts(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    run("A query")
    assert (tmp_path / "counts.csv").read_text(encoding="utf-8").split() == ["component_name,readings", "air,1008"]


def test_a_dataset_is_read_by_all_tools(run: Run, client: ViamClient, tmp_path: Path) -> None:
    for package in ("pandas", "polars", "pyarrow", "duckdb"):
        pytest.importorskip(package)
    names = run("A dataset that grows every day")
    with client.data_client.iter_tabular_data(names["week"]) as rows:
        count = sum(1 for _ in rows)
    assert count > 0
    assert len(names["pandas"].read_parquet("readings")) == names["polars"].read_parquet("readings").height == count
    assert names["pyarrow"].dataset.dataset("readings").count_rows() == count


def test_a_mirror_has_all_temperatures(run: Run, mean: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    result = run("A nightly mirror")["result"]
    (promised,) = re.findall(r"print\(result\)  # (.*)", PARTS["A nightly mirror"][0])
    assert capsys.readouterr().out.strip() == promised
    assert result.added == 1008
    with duckdb.connect("readings.duckdb") as connection:
        ((found,),) = connection.execute('SELECT avg("data.readings.temperature") FROM readings').fetchall()
    assert found == mean


def test_a_bucket_has_what_a_folder_would(run: Run, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    fsspec = pytest.importorskip("fsspec")
    code = PARTS["A bucket"][0].replace("s3://bucket", bucket)
    monkeypatch.setitem(PARTS, "A bucket", [PARTS["A dataset that grows every day"][0], code])
    run("A bucket")
    store, root = fsspec.core.url_to_fs(bucket)
    names = [path[len(root) + 1 :].partition("/")[0] for path in store.find(root)]
    assert set(names) == {"air.parquet", "readings", "images"}
    assert names.count("images") == 24 * 2 + 1


def test_an_open_file_has_the_columns(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("An open file")
    assert capsys.readouterr().out.startswith("timeRequested,timeReceived,metadata.organizationId,")


def test_images_are_there(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run("Images")["result"]
    assert result.complete
    assert len(list((tmp_path / "images" / "data").iterdir())) == len(result.files) > 0
    assert capsys.readouterr().out.startswith("ExportResult(")


def test_a_dataset_is_there_as_json_lines(run: Run, tmp_path: Path) -> None:
    result = run("Viam's JSON lines")["result"]
    parts = [tmp_path / "tomatoes" / f"dataset_{part}.jsonl" for part in ("train", "val", "test")]
    assert result.complete
    assert sum(len(part.read_text(encoding="utf-8").splitlines()) for part in parts if part.exists()) == 24


def test_a_dataset_is_there_for_yolo(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run("Viam's JSON lines", "YOLO")
    assert "train: images/train\n" in capsys.readouterr().out
    assert len(list((tmp_path / "tomatoes" / "labels").rglob("*.txt"))) == 24


def test_a_dataset_is_there_for_coco(run: Run) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("pycocotools")
    train = run("Viam's JSON lines", "COCO")["train"]
    assert {category["name"] for category in train.loadCats(train.getCatIds())} == {"ripe", "unripe"}
    assert train.getImgIds()


def test_a_dataset_is_there_for_hugging_face(run: Run) -> None:
    pytest.importorskip("datasets")
    dataset = run("Viam's JSON lines", "Hugging Face")["dataset"]
    assert sum(part.num_rows for part in dataset.values()) == 24


def test_a_folder_becomes_a_dataset_that_suffices_to_train_on(
    run: Run, client: ViamClient, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("Viam's JSON lines", "YOLO", "Images and labels of your own", "Before training")
    assert names["result"].complete
    assert client.data_client.list_dataset_by_ids([names["result"].dataset_id])[0].name == "my tomatoes"
    assert capsys.readouterr().out.endswith("24 images, 24 labelled, 2 labels, 0 problems)\n")


def test_a_cluster_has_all_temperatures(run: Run, client: ViamClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    pandas = pytest.importorskip("pandas")
    monkeypatch.setitem(PARTS, "A cluster", [PARTS["A dataset that grows every day"][0], *PARTS["A cluster"]])
    names = run("A cluster")
    readings = pandas.read_parquet("readings")
    assert names["rows"] == len(readings) > 0
    assert names["hottest"] == readings["data.readings.temperature"].max()


def test_a_schema_has_its_types(run: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run("Names, order and types")
    assert str(parquet.read_schema(tmp_path / "typed.parquet").field("data.readings.co2").type) == "int64"
