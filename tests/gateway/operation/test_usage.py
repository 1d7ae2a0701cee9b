"""What clients ask for is counted without what they ask with."""

from graphql import FragmentDefinitionNode, OperationDefinitionNode, build_schema, parse, validate

from gateway.operation.usage import MAX_OPERATIONS, OperationShape, Usage, find_shape

SCHEMA = build_schema(
    """
    interface Node { id: ID! }
    type Complaint implements Node { id: ID! title(words: [String!], near: Place): String holder: Agency }
    type Agency implements Node { id: ID! name: String }
    input Place { latitude: Float region: ID count: Int }
    enum Status { OPEN CLOSED }
    scalar Anything
    type Query { node(id: ID!): Node complaint(id: ID!, secret: String, status: Status, any: Anything): Complaint }
    """
)


def measured(text: str) -> OperationShape:
    document = parse(text)
    assert not validate(SCHEMA, document)
    operation, *fragments = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    named = {row.name.value: row for row in fragments if isinstance(row, FragmentDefinitionNode)}
    asked = find_shape(SCHEMA, operation, named)
    assert not validate(SCHEMA, parse(asked.text))
    return asked


def test_fields_are_counted_by_the_type_that_they_are_asked_of() -> None:
    asked = measured(
        '{ node(id: "x") { __typename id ...F ... on Agency { n: name } } } fragment F on Complaint { holder { id } }'
    )
    assert asked.coordinates == {"Query.node", "Node.id", "Complaint.holder", "Agency.id", "Agency.name"}


def test_no_value_is_kept() -> None:
    asked = measured(
        '{ complaint(id: "LP-GEHEIM", secret: "rahasia", status: OPEN) '
        '{ title(words: ["a", "b"], near: {latitude: -8.123, region: "51", count: 7}) } }'
    )
    for value in ("GEHEIM", "rahasia", "8.123", "51", "7", '"a"'):
        assert value not in asked.text
    assert "status:OPEN" in asked.text


def test_no_name_of_the_clients_own_is_kept() -> None:
    asked = measured(
        "query Rahasia($Rahasia: ID!, $budi: String) { budi: complaint(id: $Rahasia, secret: $budi) { ...Rahasia } "
        "siti: complaint(id: $Rahasia) { ...Rahasia id } } fragment Rahasia on Complaint { budi: title siti: title }"
    )
    for name in ("Rahasia", "budi", "siti"):
        assert name not in asked.text
    assert asked == measured(
        "query ($i: ID!, $s: String) { a: complaint(id: $i, secret: $s) { ...F } "
        "b: complaint(id: $i) { ...F id } } fragment F on Complaint { a: title b: title }"
    )


def test_a_scalar_of_somebodys_own_may_hold_anything_and_nothing_of_it_is_kept() -> None:
    for value in ("RAHASIA", "{rahasia: {budi: 1}}", "[[RAHASIA]]", "[{rahasia: OPEN}]", "true"):
        asked = measured(f'{{ complaint(id: "a", any: {value}) {{ id }} }}')
        assert "rahasia" not in asked.text.lower()
        assert "budi" not in asked.text


def test_operations_that_differ_in_values_alone_are_one() -> None:
    one, other = measured('{ complaint(id: "a") { id } }'), measured('# x\n{ complaint(id: "bb"), { id } }')
    assert one == other
    assert measured('{ complaint(id: "a") { title(words: ["a"]) } }') == measured(
        '{ complaint(id: "a") { title(words: ["a", "b", "c"]) } }'
    )


def test_counts_are_taken_once() -> None:
    usage = Usage()
    asked = measured('{ complaint(id: "a") { id } }')
    usage.count(asked)
    usage.count(asked)
    taken = usage.take()
    assert taken.fields == {"Query.complaint": 2, "Complaint.id": 2}
    assert taken.operations == {asked.digest: 2}
    assert usage.take().fields == {}


def test_endless_variety_does_not_fill_the_memory() -> None:
    usage = Usage()
    for number in range(MAX_OPERATIONS + 10):
        usage.count(OperationShape(frozenset({"Query.node"}), str(number), "{}"))
    assert len(usage.operations) == len(usage.texts) == MAX_OPERATIONS
    assert usage.fields["Query.node"] == MAX_OPERATIONS + 10
