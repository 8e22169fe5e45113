"""Fields of Django's models."""

import pytest

from tests.unit.schemas import fields, read

_MODEL = """from django.db import models
CHOICES = [('a', 'A'), ('b c', 'B')]
class A(models.Model):
  n = 1
  x = models.{}
"""


@pytest.mark.parametrize(
    ("declaration", "field"),
    [
        ("CharField(max_length=30, unique=True)", "x string(30) unique"),
        ("CharField(max_length=30, blank=True)", "x string(30)?"),
        ("CharField(max_length=3, choices=CHOICES, default='a')", "x enum(a|b-c) = a"),
        ("TextField(null=True, help_text='what it is')", 'x text? "what it is"'),
        ("SlugField()", "x string(50) index"),
        ("PositiveIntegerField(default=0, db_index=True)", "x integer(0..) index = 0"),
        ("IntegerField(choices=[(1, 'a'), (2, 'b')])", "x integer(1..2)"),
        ("IntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])", "x integer(1..5)"),
        ("DecimalField(max_digits=8, decimal_places=2, default=Decimal('0.5'))", "x decimal(8,2) = 0.5"),
        ("BooleanField(default=True)", "x boolean = true"),
        ("DateTimeField(auto_now_add=True)", "x datetime auto"),
        ("DateTimeField(auto_now=True)", "x datetime auto update"),
        ("DateTimeField(default=timezone.now)", "x datetime = now"),
        ("JSONField(default=list)", "x json = []"),
        ("JSONField(default={'a': [1]})", 'x json = {"a": [1]}'),
        ("CharField(max_length=9, validators=[RegexValidator(r'^[a-z]+$')])", "x string(9) matches /[a-z]+/"),
        ("ForeignKey('self', null=True, on_delete=models.SET_NULL)", "x -> A? on delete set null"),
        ("OneToOneField('app.A', models.CASCADE, null=True)", "x -> A unique? on delete cascade"),
        ("ManyToManyField('A')", "x -> A*"),
        ("BinaryField()", "x bytes"),
    ],
)
def test_a_field_is_carried_over(declaration: str, field: str) -> None:
    assert fields(_MODEL.format(declaration), "Django") == [field]


@pytest.mark.parametrize(
    ("declaration", "left_out"),
    [
        ("IntegerField(default=compute)", "default 'compute' of A.x, because it is an expression"),
        ("IntegerField(choices=[(1, '1'), (5, '5')])", "the values 1, 5 of A.x"),
        ("CharField(choices=[('de', 'Germany')])", "the words that are shown for the choices of A.x"),
        ("CharField(max_length=3, choices=make())", "choices=make() of A.x"),
        ("CharField(max_length=3, editable=False)", "editable=False of A.x"),
        ("IntegerField(validators=[validate_even])", "validator validate_even of A.x"),
        ("ImageField(upload_to='x')", "the upload of files of A.x"),
        ("ForeignKey('A', default=1, null=True, on_delete=models.PROTECT)", "default=1 of A.x"),
    ],
)
def test_what_a_field_cant_keep_is_listed(declaration: str, left_out: str) -> None:
    assert read(_MODEL.format(declaration), "Django").left_out == [f"line 5: {left_out}"]
