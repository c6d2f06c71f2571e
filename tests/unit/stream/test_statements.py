"""Statements that are built from tables, and the columns that they accept."""

import pytest
from sqlalchemy import ARRAY, BigInteger, Column, Computed, Integer, MetaData, Table, Text

from stream.store import statements
from stream.store.tables import NOW, TIME

cats = Table(
    "cats",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("weight", BigInteger),
    Column("owner", Text),
    Column("created_at", TIME, server_default=NOW),
    Column("updated_at", TIME, server_default=NOW),
)


def test_an_insert_writes_all_columns_but_the_times_that_the_database_sets() -> None:
    statement = statements.insert(cats)

    assert statement.columns == ("name", "weight", "owner")
    assert statement.text == (
        "INSERT INTO cats (name, weight, owner)"
        " SELECT * FROM unnest(%(name)b::text[], %(weight)b::bigint[], %(owner)b::text[])"
    )


def test_an_upsert_changes_the_columns_that_it_neither_keeps_nor_leaves_out() -> None:
    statement = statements.upsert(cats, keeps=["owner"])

    assert statement.columns == ("name", "weight", "owner")
    assert statement.text.endswith("ON CONFLICT (name) DO UPDATE SET weight = excluded.weight, updated_at = now()")
    assert statements.upsert(cats, without=["owner"]).columns == ("name", "weight")


def test_a_column_that_is_written_unless_null_keeps_its_stored_value() -> None:
    updated = statements.update(cats, unless_null=["owner"]).text
    upserted = statements.upsert(cats, unless_null=["owner"]).text

    assert "weight = saved.weight, owner = coalesce(saved.owner, cats.owner)" in updated
    assert "weight = excluded.weight, owner = coalesce(excluded.owner, cats.owner)" in upserted


def test_an_update_of_named_columns_changes_no_others() -> None:
    statement = statements.update(cats, "owner")

    assert statement.columns == ("name", "owner")
    assert "SET owner = saved.owner, updated_at = now() FROM" in statement.text


def test_a_list_is_sent_as_one_text_and_split() -> None:
    litters = Table("litters", MetaData(), Column("name", Text, primary_key=True), Column("weights", ARRAY(Integer)))

    assert statements.insert(litters).text == (
        "INSERT INTO litters (name, weights) SELECT name, string_to_array(weights, E'\\n')::int[]"
        " FROM unnest(%(name)b::text[], %(weights)b::text[]) AS sent (name, weights)"
    )


def test_rows_that_are_stored_already_are_left_out() -> None:
    new = statements.insert_new(cats, without=["owner"])

    assert new.columns == ("name", "weight")
    assert new.text == f"{statements.insert(cats, without=['owner']).text} ON CONFLICT DO NOTHING"


def test_what_the_database_computes_is_not_written_and_a_time_without_a_default_is() -> None:
    visits = Table(
        "visits",
        MetaData(),
        Column("name", Text, primary_key=True),
        Column("created_at", TIME),
        Column("is_early", Text, Computed("created_at < now()")),
    )

    assert statements.insert(visits).columns == ("name", "created_at")


def test_a_clause_follows_the_statement_and_leaves_its_columns() -> None:
    statement = statements.upsert(cats).followed_by("WHERE excluded.weight > cats.weight")

    assert statement.columns == statements.upsert(cats).columns
    assert statement.text.endswith("updated_at = now() WHERE excluded.weight > cats.weight")


@pytest.mark.parametrize(
    "columns",
    [
        {"name": ["Tom"], "weight": [4]},
        {"name": ["Tom"], "weight": [4], "owner": [None], "colour": ["grey"]},
        {"name": ["Tom", "Kit"], "weight": [4], "owner": [None, None]},
    ],
    ids=["one is missing", "one is unknown", "one is shorter"],
)
def test_columns_that_do_not_fit_the_statement_are_refused(columns: statements.ColumnValues) -> None:
    with pytest.raises(ValueError, match="columns of one length are required: name, weight, owner"):
        statements.insert(cats).count(columns)


def test_columns_without_rows_count_none() -> None:
    assert statements.insert(cats).count({"name": [], "weight": [], "owner": []}) == 0


def test_rows_of_one_column_are_sent_whole() -> None:
    tags = statements.insert(Table("tags", MetaData(), Column("name", Text, primary_key=True)))

    assert tags.columns_of([{"name": "red"}, {"name": "blue"}]) == {"name": ["red", "blue"]}


def test_a_row_without_a_column_of_the_statement_is_refused() -> None:
    with pytest.raises(KeyError, match="owner"):
        statements.insert(cats).columns_of([{"name": "Tom", "weight": 4}])
