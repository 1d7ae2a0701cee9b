"""Prints the SDL of random subgraphs."""

from support.random_graphs import Kind, Spec, World

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", '
    '"@external", "@shareable", "@override", "@inaccessible", "@interfaceObject"])'
)


def subgraph_sdl(world: World, subgraph: str) -> str:
    lines = [*([] if subgraph in world.oldest else [LINK]), "enum Color { RED GREEN BLUE }"]
    for kind in world.kinds.values():
        if subgraph not in kind.where:
            continue
        if kind.category == "union":
            lines.append(f"union {kind.name} = {' | '.join(kind.members[subgraph])}")
        elif kind.category == "interface" and subgraph not in kind.object_in:
            lines.append(_interface(world, kind, subgraph))
        elif kind.list_fields(subgraph) or subgraph in kind.object_in:
            lines.append(_object(world, kind, subgraph))
    return "\n".join(lines)


def _interface(world: World, kind: Kind, subgraph: str) -> str:
    specs = [world.spec(kind.all_members[0], name) for name in kind.shared[subgraph]]
    fields = " ".join(f"{spec.name}{spec.arguments}: {spec.wrap.format(spec.of)}" for spec in specs)
    key = ' @key(fields: "id")' if kind.is_keyed else ""
    return f"interface {kind.name}{key} {{ {fields} }}"


def _object(world: World, kind: Kind, subgraph: str) -> str:
    interfaces = [row.name for row in world.of("interface") if kind.name in row.members.get(subgraph, ())]
    implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
    keys = "".join(
        f' @key(fields: "{text}"' + (")" if resolvable else ", resolvable: false)")
        for text, resolvable in kind.keys.get(subgraph, ())
    )
    if subgraph in kind.object_in:
        stub = "" if kind.list_fields(subgraph) else ", resolvable: false"
        keys, fields = f' @key(fields: "id"{stub}) @interfaceObject', ["  id: ID!"]
        fields += ["  v0: Int @external"] if "v0" in kind.external.get(subgraph, ()) else []
        names = [name for name in kind.list_fields(subgraph) if name not in kind.external.get(subgraph, ())]
    else:
        fields, names = [], kind.list_fields(subgraph)
    is_old = subgraph in world.oldest
    for name in names:
        printed = _field(kind, kind.fields[name], subgraph)
        fields.append("  " + (printed.replace(" @shareable", "") if is_old else printed))
    extends = "extend " if subgraph in kind.extended or (is_old and kind.name == "Query") else ""
    return f"{extends}type {kind.name}{implements}{keys} {{\n" + "\n".join(fields) + "\n}"


def _field(kind: Kind, spec: Spec, subgraph: str) -> str:
    printed = spec.wrap.format(spec.of) + ("!" if subgraph in spec.stricter else "")
    directives = ""
    if subgraph not in spec.owners or (spec.name == "id" and subgraph in kind.extended):
        directives = " @external"
    elif (len(spec.owners) > 1 or spec.is_provided) and spec.override is None:
        directives = " @shareable"
    if spec.requires and subgraph in spec.owners:
        directives += f' @requires(fields: "{spec.requires}")'
    if subgraph in spec.provides:
        directives += f' @provides(fields: "{spec.provides[subgraph]}")'
    if spec.override is not None and spec.override[0] == subgraph:
        label = f', label: "{spec.override[2]}"' if spec.override[2] else ""
        directives += f' @override(from: "{spec.override[1]}"{label})'
    if spec.is_inaccessible and subgraph in spec.owners:
        directives += " @inaccessible"
    return f"{spec.name}{spec.arguments}: {printed}{directives}"
