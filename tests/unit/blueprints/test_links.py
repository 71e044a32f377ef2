"""Relations become links: declared at one end, at both, of an entity to itself."""

from typing import Any

from gencode.blueprints.links import Link, links_of, normalised
from gencode.blueprints.model import Blueprint


def links(*entities: dict[str, Any]) -> list[Link]:
    return links_of(Blueprint.model_validate({"dataModels": list(entities)}))


def ends(link: Link) -> tuple[str, str, str, str, str]:
    return (link.type, link.source, link.name, link.target, link.inverse_name)


def entity(name: str, *relations: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "relations": list(relations)}


def relation(type_: str, name: str, target: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "name": name, "target": target, **more}


def test_both_declarations_of_a_link_are_one_link_whose_source_holds_the_reference() -> None:
    one_to_many = entity("Customer", relation("OneToMany", "orders", "Order"))
    many_to_one = entity("Order", relation("ManyToOne", "customer", "Customer", required=True))
    for order in ([one_to_many, many_to_one], [many_to_one, one_to_many]):
        (link,) = links(*order)
        assert ends(link) == ("ManyToOne", "Order", "customer", "Customer", "orders")
        assert (link.required, link.on_delete) == (True, "restrict")


def test_two_relations_between_the_same_entities_are_paired_by_name_only() -> None:
    found = links(
        entity(
            "Order", relation("ManyToOne", "billing", "Address"), relation("ManyToOne", "shipping", "Address")
        ),
        entity("Address", relation("OneToMany", "shipped", "Order", inverseName="shipping")),
    )
    assert sorted(map(ends, found)) == [
        ("ManyToOne", "Order", "billing", "Address", ""),
        ("ManyToOne", "Order", "shipping", "Address", "shipped"),
    ]


def test_a_relation_to_itself_is_one_link_with_or_without_its_other_end() -> None:
    (one,) = links(entity("Category", relation("ManyToOne", "parent", "Category")))
    assert ends(one) == ("ManyToOne", "Category", "parent", "Category", "")
    (both,) = links(
        entity(
            "Category",
            relation("OneToMany", "children", "Category", inverseName="parent"),
            relation("ManyToOne", "parent", "Category"),
        )
    )
    assert ends(both) == ("ManyToOne", "Category", "parent", "Category", "children")


def test_two_sets_of_an_entity_to_itself_stay_two() -> None:
    found = links(
        entity(
            "Person", relation("ManyToMany", "friends", "Person"), relation("ManyToMany", "blocked", "Person")
        )
    )
    assert [link.name for link in found] == ["friends", "blocked"]
    (pair,) = links(
        entity(
            "Person",
            relation("ManyToMany", "follows", "Person", inverseName="followers"),
            relation("ManyToMany", "followers", "Person", inverseName="follows"),
        )
    )
    assert ends(pair) == ("ManyToMany", "Person", "follows", "Person", "followers")


def test_a_set_that_both_ends_declare_has_both_names() -> None:
    (link,) = links(
        entity("Student", relation("ManyToMany", "courses", "Course")),
        entity("Course", relation("ManyToMany", "students", "Student", joinTable="enrolments")),
    )
    assert (*ends(link), link.join_table) == (
        "ManyToMany",
        "Student",
        "courses",
        "Course",
        "students",
        "enrolments",
    )


def test_the_end_of_a_one_to_one_that_is_no_owner_is_the_target() -> None:
    for relations in (
        [entity("User", relation("OneToOne", "profile", "Profile", owner=False)), entity("Profile")],
        [
            entity("User", relation("OneToOne", "profile", "Profile", owner=False)),
            entity("Profile", relation("OneToOne", "user", "User")),
        ],
    ):
        (link,) = links(*relations)
        assert (link.source, link.target, link.inverse_name) == ("Profile", "User", "profile")


def test_relations_to_unknown_entities_are_left_out() -> None:
    assert links(entity("Order", relation("ManyToOne", "customer", "Nobody"))) == []


def test_a_normalised_blueprint_declares_each_link_once_with_what_both_ends_said() -> None:
    blueprint = Blueprint.model_validate(
        {
            "dataModels": [
                entity(
                    "Customer", relation("OneToMany", "orders", "Order", onDelete="cascade", label="订单")
                ),
                entity("Order", relation("ManyToOne", "customer", "Customer", required=True)),
            ]
        }
    )
    once = normalised(blueprint)
    assert [len(one.relations) for one in once.data_models] == [0, 1]
    (kept,) = once.data_models[1].relations
    assert (kept.name, kept.inverse_name, kept.inverse_label) == ("customer", "orders", "订单")
    assert (kept.required, kept.on_delete) == (True, "cascade")
    assert [ends(link) for link in links_of(once)] == [ends(link) for link in links_of(blueprint)]
    assert normalised(once) is once
