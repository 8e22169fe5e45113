"""Django's models: bases, Meta, choices, and what is no model."""

from tests.unit.schemas import fields, read, refused


def models(*lines: str) -> str:
    return "\n".join(["from django.db import models", *lines])


def test_abstract_bases_and_mixins_are_merged_in() -> None:
    text = models(
        "class Named:",
        "  name = models.CharField(max_length=9)",
        "class Base(models.Model):",
        "  at = models.DateField()",
        "  class Meta:",
        "    abstract = True",
        "class A(Named, Base):",
        "  n = models.IntegerField()",
    )

    assert [entity.name for entity in read(text, "Django").entities] == ["A"]
    assert sorted(fields(text, "Django")) == ["at date", "n integer", "name string(9)"]


def test_meta_says_what_is_unique_and_indexed() -> None:
    text = models(
        "class A(models.Model):",
        "  x = models.IntegerField()",
        "  y = models.IntegerField()",
        "  class Meta:",
        "    db_table = 'things'",
        "    unique_together = [('x', 'y')]",
        "    ordering = ['x']",
        "    indexes = [models.Index(fields=['y', '-x'])]",
        "    constraints = [models.CheckConstraint(check=models.Q(x__gt=0) & models.Q(y__lte=9), name='c'),",
        "      models.CheckConstraint(check=models.Q(x__gt=models.F('y')), name='d')]",
    )
    spec = read(text, "Django")

    assert [field for field, _ in spec.entities[0].fields] == ["x integer(1..)", "y integer(..9)"]
    assert [option for option, _ in spec.entities[0].options] == ["table: things", "unique x, y", "index y, x"]
    assert [each.partition(":")[0] for each in spec.left_out] == ["line 8", "line 11"]


def test_choices_of_a_class_are_its_values() -> None:
    text = models(
        "class A(models.Model):",
        "  class State(models.TextChoices):",
        "    OPEN = 'o', 'Open'",
        "    DONE = 'd'",
        "  state = models.CharField(max_length=1, choices=State.choices, default=State.OPEN)",
    )

    assert fields(text, "Django") == ["state enum(o|d) = o"]


def test_a_link_with_fields_is_an_entity_of_its_own() -> None:
    text = models(
        "class A(models.Model):",
        "  n = models.IntegerField()",
        "  bs = models.ManyToManyField('B', through='Link')",
        "class B(models.Model):",
        "  n = models.IntegerField()",
        "class Link(models.Model):",
        "  a = models.ForeignKey(A, on_delete=models.CASCADE)",
        "  b = models.ForeignKey(B, on_delete=models.CASCADE)",
    )
    spec = read(text, "Django")

    assert [field for field, _ in spec.entities[0].fields] == ["n integer"]
    assert "bs of A to B is the entity Link" in spec.notes


def test_what_is_no_model_is_listed() -> None:
    text = models(
        "class A(models.Model):",
        "  n = models.IntegerField()",
        "  objects = Things()",
        "  def save(self): pass",
        "class Form(forms.Form): pass",
        "def helper(): pass",
        "class P(A):",
        "  class Meta:",
        "    proxy = True",
    )

    assert read(text, "Django").left_out == [
        "line 2: methods of A: save",
        "line 4: objects = Things() of A",
        "line 6: class Form",
        "line 7: function helper",
        "line 8: proxy model P",
    ]


def test_nothing_of_the_file_is_executed() -> None:
    text = models("raise SystemExit", "class A(models.Model):", "  n = models.IntegerField(default=exit())")

    assert read(text, "Django").left_out == ["line 4: default 'exit()' of A.n, because it is an expression"]


def test_what_is_no_python_is_refused() -> None:
    assert refused(models("class A(models.Model:", "  n = 1"), "Django").startswith("line 2: it is not Python: ")
    assert refused(models("class A(A): pass"), "Django") == "it has no table with a column"
