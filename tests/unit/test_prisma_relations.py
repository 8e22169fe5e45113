"""Relations of Prisma: each is carried over once, whichever side comes first."""

from tests.unit.schemas import fields, read

_ONE = """model A {
  id Int @id
  n Int
  bs B[]
}
model B {
  id Int @id
  a A @relation(fields: [aId], references: [id], onDelete: Cascade)
  aId Int
}"""


def test_the_field_and_its_column_are_one_relation() -> None:
    spec = read(_ONE, "Prisma")

    assert fields(_ONE, "Prisma", 1) == ["a -> A on delete cascade"]
    assert "bs of A is the other side of a of B" in spec.notes


def test_two_lists_are_many_to_many_on_the_first_side() -> None:
    text = "model A {\n id Int @id\n bs B[]\n}\nmodel B {\n id Int @id\n n Int\n as A[]\n}"

    assert fields(text, "Prisma") == ["bs -> B*"]
    assert "as of B is the other side of bs of A" in read(text, "Prisma").notes


def test_relations_with_names_are_told_apart() -> None:
    text = """model A {
 id Int @id
 wrote B[] @relation("w")
 liked B[] @relation("l")
}
model B {
 id Int @id
 by A? @relation("w", fields: [byId], references: [id])
 byId Int?
 fans A[] @relation("l")
}"""

    assert fields(text, "Prisma") == ["liked -> B*"]
    assert fields(text, "Prisma", 1) == ["by -> A?"]


def test_a_side_without_another_is_left_out() -> None:
    spec = read("model A {\n id Int @id\n n Int\n b B?\n}\nmodel B {\n id Int @id\n n Int\n}", "Prisma")

    assert spec.left_out == ["line 4: b of A, because B has no field for it"]
