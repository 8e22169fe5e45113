"""Prisma: fields, attributes, and what is wrong with each."""

import pytest

from tests.unit.schemas import fields, read, refused


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("name String", "name string"),
        ("name String? @unique @db.VarChar(40)", "name string(40) unique?"),
        ("body String @db.Text", "body text"),
        ("n Int @default(1)", "n integer = 1"),
        ("n Int @db.UnsignedSmallInt", "n integer(0..)"),
        ("price Decimal @db.Decimal(8, 2)", "price decimal(8,2)"),
        ("at DateTime @default(now())", "at datetime = now"),
        ("createdAt DateTime @default(now())", "created_at datetime auto"),
        ("changed DateTime @updatedAt", "changed datetime auto update"),
        ("day DateTime @db.Date", "day date"),
        ("role Role @default(A)", "role enum(A|B) = A"),
        ("tags String[]", "tags json"),
        ("data Json", "data json"),
        ("file Bytes", "file bytes"),
        ("/// what it is called\n name String", 'name string "what it is called"'),
        ("password String", "password password"),
        ('name String @default("a \\"b\\"")', 'name string = "a \\"b\\""'),
    ],
)
def test_a_field_is_carried_over(line: str, field: str) -> None:
    assert fields(f"model A {{\n id Int @id\n {line}\n}}\nenum Role {{\n A\n B\n}}", "Prisma") == [field]


def test_keys_and_groups() -> None:
    groups = '@@id([x, y])\n @@unique([z])\n @@index([y(sort: Desc), z])\n @@map("things")'
    spec = read(f"model A {{\n x Int\n y Int\n z Int\n {groups}\n}}")

    assert [field for field, _ in spec.entities[0].fields] == ["x integer", "y integer", "z integer unique"]
    assert [option for option, _ in spec.entities[0].options] == ["table: things", "unique x, y", "index y, z"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model A {\n b Int", "line 1: the block of model A is not closed; add a '}'"),
        ("model A {\n b Itn\n}", "line 2: A.b: there is no type, enum or model 'Itn'"),
        ("model A {\n b\n}", "line 2: 'b' of A is not 'name Type'"),
        ("modle A {\n b Int\n}", "line 1: 'modle' is none of model, enum, type, view, datasource, generator"),
        ("model A {\n b Int\n}\nmodel A {\n b Int\n}", "line 4: model A is defined twice; rename one"),
        ("model A\n{\n b Int\n}", "line 1: model A has no '{' on its line"),
        ("model A {\n b Int !\n}", "line 2: '!' of A.b can't be read"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert message in refused(text, "Prisma").split("\n")
