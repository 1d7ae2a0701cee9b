"""Random subgraphs that compose, with every federation directive in every allowed combination.

A seed decides everything. First a world of kinds (object types) is made; each subgraph gets some fields and keys of
each kind. random_sdl.py writes its SDL, random_data.py its data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

KEYS = ("id", "sku", "a b", "k { a b }", "own { id }")
WRAPS = ("{}", "{}", "{}!", "[{}]", "[{}!]!", "[{}]!", "[[{}]]")
ARGUMENTS = "(x: Int = 3)"


@dataclass
class Spec:
    """A field, the same in every subgraph. Its type is `wrap` around the type name `of`: "[{}!]" and "E0" → [E0!]."""

    name: str
    of: str
    wrap: str = "{}"
    owners: list[str] = field(default_factory=list)
    arguments: str = ""
    stricter: set[str] = field(default_factory=set)
    """Subgraphs that declare it as non-null, though the supergraph does not."""
    requires: str = ""
    provides: dict[str, str] = field(default_factory=dict)
    override: tuple[str, str, str] | None = None
    """The new owner, the old owner, and a label or ""."""
    is_provided: bool = False
    is_inaccessible: bool = False
    may_break: bool = False
    """Sometimes its value is a forbidden null or, if it is nullable, an error."""

    def own(self, subgraph: str) -> None:
        if subgraph not in self.owners:
            self.owners.append(subgraph)


@dataclass
class Kind:
    """An entity, value, interface, union or root type. Most attributes are by subgraph."""

    name: str
    category: str
    where: list[str] = field(default_factory=list)
    fields: dict[str, Spec] = field(default_factory=dict)
    keys: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    pool: tuple[str, ...] = ("id",)
    members: dict[str, list[str]] = field(default_factory=dict)
    all_members: list[str] = field(default_factory=list)
    external: dict[str, list[str]] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
    """The fields of an interface in each subgraph."""
    object_in: list[str] = field(default_factory=list)
    is_keyed: bool = False
    extended: list[str] = field(default_factory=list)
    """Subgraphs that extend the entity and declare its key as external."""

    @property
    def is_object(self) -> bool:
        return self.category in ("entity", "value", "root")

    @property
    def is_abstract(self) -> bool:
        return self.category in ("interface", "union")

    def list_fields(self, subgraph: str) -> list[str]:
        own = [name for name, spec in self.fields.items() if subgraph in spec.owners]
        return list(dict.fromkeys(own + self.external.get(subgraph, [])))


@dataclass
class World:
    subgraphs: list[str]
    kinds: dict[str, Kind] = field(default_factory=dict)
    labels: dict[str, bool] = field(default_factory=dict)
    oldest: list[str] = field(default_factory=list)
    """Subgraphs written for Federation 1."""

    def of(self, category: str) -> list[Kind]:
        return [kind for kind in self.kinds.values() if kind.category == category]

    def spec(self, kind_name: str, name: str) -> Spec:
        """Returns a field of an object type: its own, or that of an interface object that stands for it."""
        kind = self.kinds[kind_name]
        if name in kind.fields:
            return kind.fields[name]
        interfaces = [row for row in self.of("interface") if kind_name in row.all_members and name in row.fields]
        return interfaces[0].fields[name]

    def object_for(self, kind_name: str, subgraph: str) -> str:
        """Returns the name by which a subgraph knows the type: that of an interface object, or its own."""
        found = [row.name for row in self.of("interface") if subgraph in row.object_in and kind_name in row.all_members]
        return found[0] if found else kind_name

    def find_common_types(self, spec: Spec) -> list[str]:
        """Returns the object types that every owner of a field of abstract type can return."""
        kind = self.kinds[spec.of]
        found = set(kind.all_members)
        for subgraph in spec.owners:
            if subgraph not in kind.object_in:
                found &= set(kind.members.get(subgraph, ()))
        return sorted(found)


class _WorldMaker:
    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.world = World([f"s{number}" for number in range(self.chance.randint(2, 4))])
        self.kinds = self.world.kinds
        self.settled = False

    def sample(self, rows: list[str], least: int = 1, most: int | None = None) -> list[str]:
        most = len(rows) if most is None else min(most, len(rows))
        return self.chance.sample(rows, self.chance.randint(min(least, most), most))

    def make_world(self) -> World:
        self.add_entities()
        self.add_values()
        self.add_abstract_types()
        self.add_interface_object()
        self.add_links()
        self.settle_values()
        for make in (self.add_overrides, self.add_requirements, self.add_provides):
            make()
        self.finish_interfaces()
        self.add_strictness()
        self.add_extensions()
        return self.world

    def make_scalar(self, name: str, owners: list[str]) -> Spec:
        of = self.chance.choice(["Int", "Int", "String", "Color"])
        return Spec(name, of, self.chance.choice(WRAPS), list(owners))

    def add_entities(self) -> None:
        self.kinds["KT"] = Kind("KT", "value", [], {name: Spec(name, "Int", "{}!") for name in "ab"})
        for number in range(self.chance.randint(2, 4)):
            name = f"E{number}"
            pool = ("id", *self.sample(list(KEYS[1:]), 0, 2)) if self.chance.random() < 0.6 else ("id",)
            fields = {
                "id": Spec("id", "ID", "{}!"),
                "sku": Spec("sku", "String", "{}!"),
                "a": Spec("a", "Int", "{}!"),
                "b": Spec("b", "Int", "{}!"),
                "k": Spec("k", "KT", "{}!"),
                "own": Spec("own", self.chance.choice([f"E{other}" for other in range(number)] or [name]), "{}!"),
            }
            pool = tuple(key for key in pool if key != "own { id }" or number)
            self.kinds[name] = Kind(name, "entity", fields=fields, pool=pool)
        for kind in self.world.of("entity"):
            for subgraph in self.sample(self.world.subgraphs):
                self.ensure(kind.name, subgraph)
            self.add_entity_fields(kind)

    def add_entity_fields(self, kind: Kind) -> None:
        kind.fields["v0"] = Spec("v0", "Int", "{}", self.sample(kind.where, 1, 2))
        kind.fields["c"] = Spec("c", "Int", "{}", self.sample(kind.where, 1, 2), ARGUMENTS)
        for number in range(1, self.chance.randint(1, 4)):
            spec = self.make_scalar(f"v{number}", self.sample(kind.where, 1, 2))
            spec.is_inaccessible = self.chance.random() < 0.1
            kind.fields[spec.name] = spec
        if self.chance.random() < 0.15:
            kind.fields["bad"] = Spec("bad", "Int", "{}!", self.sample(kind.where, 1, 1), may_break=True)
        if self.chance.random() < 0.15:
            kind.fields["sour"] = Spec("sour", "Int", "{}", self.sample(kind.where, 1, 1), may_break=True)

    def use_key(self, kind: Kind, subgraph: str, text: str, resolvable: bool) -> None:
        rows = kind.keys.setdefault(subgraph, [])
        if text in [row[0] for row in rows]:
            return
        rows.append((text, resolvable))
        nested = text.split(" {")[0] if "{" in text else ""
        for name in [nested] if nested else text.split():
            kind.fields[name].own(subgraph)
        if nested == "k":
            self.ensure("KT", subgraph)
            for spec in self.kinds["KT"].fields.values():
                spec.own(subgraph)
        if nested == "own":
            other = kind.fields["own"].of
            self.ensure(other, subgraph)
            self.kinds[other].fields["id"].own(subgraph)

    def ensure(self, name: str, subgraph: str) -> bool:
        """Adds a kind to a subgraph. Returns whether it may exist there."""
        kind = self.kinds[name]
        if subgraph in kind.where:
            return True
        if kind.category == "entity":
            if self.world.object_for(name, subgraph) != name:
                return False
            kind.where.append(subgraph)
            for key in self.sample(list(kind.pool), 1, 2) if self.chance.random() < 0.4 else ["id"]:
                self.use_key(kind, subgraph, key, self.chance.random() < 0.93)
            return True
        if kind.category == "value":
            kind.where.append(subgraph)
            for spec in kind.fields.values() if self.settled else ():
                if spec.of in ("Int", "String", "Color"):
                    spec.own(subgraph)
            return True
        if kind.is_keyed:
            if any(subgraph in self.kinds[member].where for member in kind.all_members):
                return False
            # A stub: the subgraph knows the object's key only.
            kind.where.append(subgraph)
            kind.object_in.append(subgraph)
            return True
        members = [member for member in self.sample(kind.all_members) if self.ensure(member, subgraph)]
        if members:
            kind.members[subgraph] = members
            kind.where.append(subgraph)
        return bool(members)

    def add_values(self) -> None:
        for number in range(2):
            name = f"V{number}"
            self.kinds[name] = Kind(name, "value", fields={row: self.make_scalar(row, []) for row in "xyz"})

    def add_abstract_types(self) -> None:
        entities = [kind.name for kind in self.world.of("entity")]
        self.kinds["I0"] = Kind("I0", "interface", all_members=self.sample(entities, 2))
        self.kinds["U0"] = Kind("U0", "union", all_members=[*self.sample(entities, 2), *self.sample(["V1"], 0)])

    def add_interface_object(self) -> None:
        """Adds an interface with a key whose types are in one subgraph; others have an interface object."""
        if len(self.world.subgraphs) < 3 or self.chance.random() < 0.5:
            return
        home, *others = self.chance.sample(self.world.subgraphs, len(self.world.subgraphs))
        members = []
        for number in range(2):
            name = f"M{number}"
            members.append(name)
            fields = {"id": Spec("id", "ID", "{}!"), "v0": Spec("v0", "Int", "{}", [home])}
            self.kinds[name] = Kind(name, "entity", fields=fields)
            self.use_key(self.kinds[name], home, "id", True)
            self.kinds[name].where.append(home)
            if self.chance.random() < 0.5 and others[2:]:
                self.ensure(name, others[2])
                self.kinds[name].fields["v1"] = self.make_scalar("v1", [others[2]])
        objects = others[: self.chance.randint(1, 2)]
        kind = self.kinds["I1"] = Kind("I1", "interface", [home, *objects], all_members=members, is_keyed=True)
        kind.members[home] = members
        kind.object_in = objects
        for number, subgraph in enumerate((*objects, *self.sample(objects, 0))):
            kind.fields[f"o{number}"] = self.make_scalar(f"o{number}", [subgraph])
        if self.chance.random() < 0.5:
            kind.external[objects[0]] = ["v0"]
            kind.fields["ro"] = Spec("ro", "Int", "{}", [objects[0]], requires="v0")

    def add_links(self) -> None:
        self.kinds["Query"] = Kind("Query", "root", list(self.world.subgraphs))
        for subgraph in self.world.subgraphs:
            self.kinds["Query"].fields[f"ping_{subgraph}"] = Spec(f"ping_{subgraph}", "Int", "{}", [subgraph])
        self.kinds["Mutation"] = Kind("Mutation", "root", list(self.world.subgraphs))
        targets = [name for name in self.kinds if name not in ("KT", "Query", "Mutation")]
        for kind in [*self.world.of("entity"), *self.world.of("value")]:
            if kind.name != "KT":
                for number in range(self.chance.randint(0, 2)):
                    self.add_link(kind, f"l{number}", self.chance.choice(targets))
        if "I1" in self.kinds:
            self.add_link(self.kinds["I1"], "ol", self.chance.choice(targets), self.kinds["I1"].object_in)
        for number in range(self.chance.randint(3, 6)):
            self.add_link(self.kinds["Query"], f"q{number}", self.chance.choice(targets))
        for number in range(self.chance.randint(0, 3)):
            self.add_link(self.kinds["Mutation"], f"m{number}", self.chance.choice(targets))
            spec = self.kinds["Mutation"].fields.get(f"m{number}")
            if spec is not None:
                spec.owners, spec.arguments = spec.owners[:1], ARGUMENTS
        if self.chance.random() < 0.15:
            self.add_link(self.chance.choice(self.world.of("entity")), "root", "Query")

    def add_link(self, kind: Kind, name: str, target: str, where: list[str] | None = None) -> None:
        where = kind.where if where is None else where
        if kind.category == "value":
            where = self.world.subgraphs
        owners = self.sample(where, 1, 2)
        owners = [subgraph for subgraph in owners if self.ensure(target, subgraph)]
        if not owners:
            return
        spec = Spec(name, target, self.chance.choice(WRAPS), owners)
        if self.kinds[target].is_abstract and not self.world.find_common_types(spec):
            spec.owners = owners[:1]
        if kind.category in ("entity", "root") and self.chance.random() < 0.2:
            spec.arguments = ARGUMENTS
        kind.fields[name] = spec
        for subgraph in spec.owners if kind.category == "value" else ():
            self.ensure(kind.name, subgraph)

    def settle_values(self) -> None:
        self.settled = True
        for kind in self.world.of("value"):
            if kind.name == "KT":
                continue
            split = self.chance.random() < 0.15
            for spec in kind.fields.values():
                if not kind.where:
                    continue
                if spec.of in self.kinds:
                    spec.owners += [s for s in kind.where if s not in spec.owners and self.fits(spec, s)]
                    continue
                spec.owners = self.sample(kind.where) if split else list(kind.where)
            for subgraph in kind.where:
                if not kind.list_fields(subgraph):
                    kind.fields["x"].own(subgraph)

    def fits(self, spec: Spec, subgraph: str) -> bool:
        """Whether one more subgraph may own a link. Adds the kind that it leads to."""
        target = self.kinds[spec.of]
        if not self.ensure(target.name, subgraph):
            return False
        wider = Spec(spec.name, spec.of, spec.wrap, [*spec.owners, subgraph])
        return not target.is_abstract or bool(self.world.find_common_types(wider))

    def add_overrides(self) -> None:
        for kind in self.world.of("entity"):
            for spec in kind.fields.values():
                others = [s for s in kind.where if s not in spec.owners and s not in self.world.oldest]
                plain = spec.name.startswith("v") and len(spec.owners) == 1 and not spec.is_inaccessible
                if plain and others and self.chance.random() < 0.2:
                    new = self.chance.choice(others)
                    label = f"label{len(self.world.labels)}" if self.chance.random() < 0.4 else ""
                    if label:
                        self.world.labels[label] = self.chance.random() < 0.5
                    spec.override = (new, spec.owners[0], label)
                    spec.owners.append(new)

    def add_requirements(self) -> None:
        for kind in self.world.of("entity"):
            for number in range(self.chance.randint(0, 2)):
                subgraph = self.chance.choice(kind.where)
                if not any(resolvable for _, resolvable in kind.keys[subgraph]):
                    continue
                text = self.make_requirement(kind, subgraph, ())
                if text and self.chance.random() < 0.5:
                    text += " " + self.make_requirement(kind, subgraph, text.replace("(", " ").split())
                if text:
                    kind.fields[f"r{number}"] = Spec(f"r{number}", "Int", "{}", [subgraph], requires=text)

    def make_requirement(self, kind: Kind, subgraph: str, taken: Sequence[str]) -> str:
        """Returns a field set on a field of other subgraphs, or "". Declares the field as external."""
        names = [
            name
            for name, spec in kind.fields.items()
            if subgraph not in spec.owners and spec.owners and not spec.may_break and spec.of != "Query"
            if name not in taken
        ]
        if not names:
            return ""
        spec = kind.fields[self.chance.choice(names)]
        text = spec.name + (f"(x: {self.chance.randint(1, 3)})" if spec.arguments else "")
        if spec.of in self.kinds:
            inside = self.write_inner_fields(spec, subgraph)
            if not inside:
                return ""
            text += f" {{ {inside} }}"
        self.declare_external(kind, subgraph, spec.name)
        return text

    def write_inner_fields(self, spec: Spec, subgraph: str) -> str:
        target = self.kinds[spec.of]
        if spec.name == "k" or not self.ensure(target.name, subgraph) or subgraph in target.object_in:
            return ""
        if target.category == "value":
            names = [name for name in target.list_fields(subgraph) if target.fields[name].of not in self.kinds]
            return self.chance.choice(names) if names else ""
        if target.category == "entity":
            return self.choose_readable_field(target, subgraph)
        members = [name for name in target.members[subgraph] if self.kinds[name].category == "entity"]
        if not set(self.world.find_common_types(spec)) <= set(target.members[subgraph]):
            return ""
        return " ".join(
            f"... on {name} {{ {self.choose_readable_field(self.kinds[name], subgraph)} }}" for name in members
        )

    def choose_readable_field(self, kind: Kind, subgraph: str) -> str:
        if kind.name not in ("M0", "M1") and kind.fields["v0"].override is None and self.chance.random() < 0.6:
            if subgraph not in kind.fields["v0"].owners:
                self.declare_external(kind, subgraph, "v0")
            return "v0"
        if subgraph not in kind.fields["id"].owners and "id" not in kind.external.get(subgraph, ()):
            kind.fields["id"].own(subgraph)
        return "id"

    def declare_external(self, kind: Kind, subgraph: str, name: str) -> None:
        rows = kind.external.setdefault(subgraph, [])
        if name not in rows and subgraph not in kind.fields[name].owners:
            rows.append(name)
        of = kind.fields[name].of
        if of in self.kinds and self.kinds[of].category == "value":
            self.ensure(of, subgraph)

    def add_provides(self) -> None:
        holders = [*self.world.of("entity"), self.kinds["Query"]]
        for kind in holders:
            for spec in kind.fields.values():
                target = self.kinds.get(spec.of)
                if target is None or spec.name in ("k", "own") or self.chance.random() < 0.5:
                    continue
                for subgraph in spec.owners:
                    text = self.choose_provided_fields(target, subgraph)
                    if text:
                        spec.provides[subgraph] = text

    def choose_provided_fields(self, target: Kind, subgraph: str) -> str:
        if target.category == "entity":
            names = [
                name
                for name, spec in target.fields.items()
                if name[0] == "v" and subgraph not in spec.owners and spec.override is None and spec.owners
            ]
            if not names:
                return ""
            name = self.chance.choice(names)
            self.declare_external(target, subgraph, name)
            target.fields[name].is_provided = True
            return name
        if not target.is_abstract or subgraph in target.object_in:
            return ""
        rows = []
        for member in target.members[subgraph]:
            text = (
                self.choose_provided_fields(self.kinds[member], subgraph)
                if self.kinds[member].category == "entity"
                else ""
            )
            if text:
                rows.append(f"... on {member} {{ {text} }}")
        return " ".join(rows)

    def finish_interfaces(self) -> None:
        for kind in self.world.of("interface"):
            for subgraph in kind.where:
                if subgraph in kind.object_in:
                    continue
                members = [self.kinds[name] for name in kind.members[subgraph]]
                every = [self.kinds[name] for name in kind.all_members]
                names = [
                    name
                    for name in ("id", "v0", "c")
                    if all(name in row.list_fields(subgraph) for row in members)
                    and all(name in row.fields and row.fields[name].owners for row in every)
                ]
                chosen = [name for name in names if self.chance.random() < 0.7 or (kind.external and name == "v0")]
                if "id" not in chosen and (kind.is_keyed or not chosen):
                    chosen.append("id")
                    for row in members:
                        if "id" not in row.list_fields(subgraph):
                            row.fields["id"].own(subgraph)
                    for row in every:
                        if row.where and not row.fields["id"].owners:
                            row.fields["id"].own(row.where[0])
                kind.shared[subgraph] = chosen

    def has_none(self, spec: Spec) -> bool:
        """Whether the owners of a field of abstract type share no object type: then selecting it is an error."""
        return self.kinds[spec.of].is_abstract and not self.world.find_common_types(spec)

    def add_strictness(self) -> None:
        specs = [spec for kind in self.kinds.values() for spec in kind.fields.values()]
        if any(spec.may_break or (spec.of in self.kinds and self.has_none(spec)) for spec in specs):
            # A forbidden null would null more of a stricter subgraph's answer than of the supergraph's.
            return
        for kind in self.kinds.values():
            for spec in kind.fields.values():
                plain = spec.wrap == "{}" and not any(spec.name in names for names in kind.external.values())
                if len(spec.owners) > 1 and plain and kind.is_object and self.chance.random() < 0.3:
                    spec.stricter = set(self.sample(spec.owners))

    def add_extensions(self) -> None:
        """Turns some subgraphs into Federation 1, and some types into extensions of another subgraph's type."""
        for subgraph in self.world.subgraphs:
            is_old = self.chance.random() < 0.25
            if is_old and self.fits_the_oldest(subgraph):
                self.world.oldest.append(subgraph)
        for kind in self.world.of("entity"):
            others = [s for s in kind.where if [text for text, _ in kind.keys.get(s, ())] == ["id"]]
            if len(others) > 1 and self.world.object_for(kind.name, others[0]) == kind.name:
                kind.extended = [s for s in others[1:] if self.chance.random() < 0.2]

    def fits_the_oldest(self, subgraph: str) -> bool:
        for kind in self.kinds.values():
            if subgraph in kind.object_in or (kind.is_keyed and subgraph in kind.where):
                return False
            if not all(resolvable for _, resolvable in kind.keys.get(subgraph, ())):
                return False
            for spec in kind.fields.values():
                new = spec.override is not None and subgraph in spec.override[:2]
                if subgraph in spec.owners and (new or spec.is_inaccessible):
                    return False
        return True


def make_world(seed: int) -> World:
    return _WorldMaker(seed).make_world()
