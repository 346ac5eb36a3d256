"""pyarrow through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

Arguments: endpoint, bucket. Credentials come from AWS's environment variables.
"""

import concurrent.futures
import json
import random
import sys
import traceback

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

ENDPOINT, BUCKET = sys.argv[1], sys.argv[2]
ROWS = 600_000
ROW_GROUP = 50_000
CASES = []

store = fs.S3FileSystem(
    endpoint_override=ENDPOINT.removeprefix("http://"),
    scheme="http",
    region="us-east-1",
    allow_bucket_creation=True,
)


def case(function):
    CASES.append(function)
    return function


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def make_table():
    numbers = random.Random(7)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "noise": pa.array([numbers.random() for _ in range(ROWS)], pa.float64()),
            "blob": pa.array([numbers.randbytes(16) for _ in range(ROWS)], pa.binary()),
        }
    )


TABLE = make_table()
PATH = f"{BUCKET}/warehouse/table.parquet"


@case
def writes_a_file_in_parts():
    """Larger than one part of Arrow's, so a multipart upload."""
    store.create_dir(BUCKET)
    pq.write_table(TABLE, PATH, filesystem=store, row_group_size=ROW_GROUP, compression="none")
    info = store.get_file_info(PATH)
    if info.size < 15_000_000:
        raise AssertionError(f"only {info.size} bytes")


@case
def reads_the_whole_file():
    if not pq.read_table(PATH, filesystem=store).equals(TABLE):
        raise AssertionError("not the same table")


@case
def reads_one_column_of_one_row_group():
    with store.open_input_file(PATH) as opened:
        parquet = pq.ParquetFile(opened)
        equal(parquet.metadata.num_row_groups, ROWS // ROW_GROUP)
        got = parquet.read_row_group(7, columns=["noise"])
    wanted = TABLE.select(["noise"]).slice(7 * ROW_GROUP, ROW_GROUP)
    if not got.equals(wanted):
        raise AssertionError("not the same column")


@case
def reads_columns_ahead_and_in_parallel():
    """pre_buffer coalesces the column chunks into ranges and reads them at once."""
    got = pq.read_table(PATH, filesystem=store, columns=["id", "blob"], use_threads=True, pre_buffer=True)
    if not got.equals(TABLE.select(["id", "blob"])):
        raise AssertionError("not the same columns")


@case
def filters_skip_row_groups():
    got = pq.read_table(PATH, filesystem=store, filters=[("id", ">=", 123_456), ("id", "<", 123_500)])
    if not got.equals(TABLE.slice(123_456, 44)):
        raise AssertionError("not the same rows")


@case
def many_small_ranges_of_many_threads():
    """As a reader of pages does: sizes and places that meet no segment's border."""
    with store.open_input_file(PATH) as opened:
        whole = opened.read()

    def some(seed):
        places = random.Random(seed)
        with store.open_input_file(PATH) as mine:
            for _ in range(25):
                first = places.randrange(len(whole))
                size = places.choice([1, 8, 100, 65_536, 65_537, 300_001])
                equal(mine.read_at(size, first) == whole[first : first + size], True)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(some, range(8)))
    equal(whole[:4] + whole[-4:], b"PAR1PAR1")


@case
def a_partitioned_dataset():
    """Many small files in folders, found by listings."""
    part = TABLE.slice(0, 2_000)
    part = part.append_column("day", pa.array([str(at % 20) for at in range(2_000)]))
    base = f"{BUCKET}/events"
    ds.write_dataset(part, base, format="parquet", filesystem=store, partitioning=["day"], partitioning_flavor="hive")
    back = ds.dataset(base, filesystem=store, partitioning="hive")
    equal(len(back.files), 20)
    equal(back.to_table(filter=ds.field("day") == 3, columns=["id"]).num_rows, 100)
    equal(sorted(back.to_table(columns=["id"])["id"].to_pylist()), list(range(2_000)))
    store.delete_dir(base)
    equal(store.get_file_info(base).type, fs.FileType.NotFound)


@case
def moves_and_removes():
    store.move(PATH, f"{BUCKET}/warehouse/moved.parquet")
    equal(store.get_file_info(PATH).type, fs.FileType.NotFound)
    equal(pq.read_metadata(f"{BUCKET}/warehouse/moved.parquet", filesystem=store).num_rows, ROWS)
    store.delete_file(f"{BUCKET}/warehouse/moved.parquet")


for function in CASES:
    try:
        function()
        print(json.dumps({"case": function.__name__, "ok": True}), flush=True)
    except Exception:
        print(json.dumps({"case": function.__name__, "ok": False, "error": traceback.format_exc()[-1500:]}), flush=True)
