"""What the intrinsic functions of CloudFormation come to, as far as the template itself tells.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re

from lambda_lint.descriptors.tree import Node

_DEEPEST = 12
_LONGEST = 10_000
_MOST_STEPS = 200_000
"""How much is resolved of one template: aliases can make a small one large."""

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


class Values:
    """Resolves texts of one template; what only a deployment knows is None."""

    def __init__(self, template: Node) -> None:
        """Take the whole template, for its parameters and mappings."""
        self._template = template
        self._parameters: dict[str, str | None] = {}
        self._steps = _MOST_STEPS

    def text(self, node: Node | None, depth: int = 0) -> str | None:
        """Return the text that a value comes to, None where that is not known."""
        self._steps -= 1
        if node is None or depth > _DEEPEST or self._steps < 0:
            return None
        name, argument = call_of(node)
        if name is None:
            return node.text
        match name:
            case "Ref":
                return self._parameter(argument.text, depth)
            case "Sub":
                return self._substituted(argument, depth)
            case "Join":
                return self._joined(argument, depth)
            case "If":
                for branch in argument.children()[1:]:
                    found = self.text(branch, depth + 1)
                    if found is not None:
                        return found
            case "FindInMap":
                return self._mapped(argument, depth)
        return None

    def strings(self, node: Node | None) -> dict[str, str]:
        """Return the entries of a mapping whose values are known."""
        found = {}
        for key, value in node.items() if node is not None else ():
            text = self.text(value)
            if text is not None:
                found[key] = text
        return found

    def branches(self, node: Node | None) -> list[Node]:
        """Return what a value may be: both branches of `If`, without `NoValue`."""
        if node is None:
            return []
        name, argument = call_of(node)
        if name != "If":
            return [node]
        return [one for one in argument.children()[1:] if call_of(one)[0] != "Ref"]

    def referred(self, node: Node | None) -> str | None:
        """Return the logical name of the resource that a value refers to."""
        if node is None:
            return None
        name, argument = call_of(node)
        if name == "Ref":
            return argument.text
        if name == "GetAtt":
            text = argument.text
            if text is None and argument.children():
                text = argument.children()[0].text
            return (text or "").partition(".")[0] or None
        if name == "Sub":
            text = argument.text or (argument.children()[0].text if argument.children() else "")
            match = _VARIABLE.search(text or "")
            return match[2].partition(".")[0].strip() if match else None
        return None

    def _parameter(self, name: str | None, depth: int) -> str | None:
        if not name:
            return None
        if name not in self._parameters:
            # A parameter that leads back to itself is unknown.
            self._parameters[name] = None
            default = self._template.get("Parameters", name, "Default")
            self._parameters[name] = self.text(default, depth + 1)
        return self._parameters[name]

    def _substituted(self, node: Node, depth: int) -> str | None:
        text = node.text
        own: dict[str, Node] = {}
        if text is None and node.children():
            text = node.children()[0].text
            own = (node.children()[1].entries or {}) if len(node.children()) > 1 else {}
        if text is None or len(text) > _LONGEST:
            return None
        known = True

        def value(match: re.Match[str]) -> str:
            nonlocal known
            if match[1]:
                return "${" + match[2] + "}"
            name = match[2].strip()
            found = self.text(own[name], depth + 1) if name in own else None
            found = found if found is not None else self._parameter(name, depth)
            if found is None:
                known = False
            return (found or "")[:_LONGEST]

        result = _VARIABLE.sub(value, text)
        return result[:_LONGEST] if known else None

    def _joined(self, node: Node, depth: int) -> str | None:
        parts = node.children()
        if len(parts) != 2 or parts[1].elements is None:
            return None
        found = [self.text(one, depth + 1) for one in parts[1].children()]
        if any(one is None for one in found):
            return None
        return (parts[0].text or "").join(one for one in found if one is not None)[:_LONGEST]

    def _mapped(self, node: Node, depth: int) -> str | None:
        keys = [self.text(one, depth + 1) for one in node.children()[:3]]
        if len(keys) != 3 or keys[0] is None or keys[2] is None:
            return None
        table = self._template.get("Mappings", keys[0])
        if table is None:
            return None
        if keys[1] is not None:
            return self.text(table.get(keys[1], keys[2]), depth + 1)
        values = {one.string(keys[2]) for _, one in table.items()}
        return values.pop() if len(values) == 1 else None


def call_of(node: Node) -> tuple[str | None, Node]:
    """Return the name of the intrinsic function that a node calls, and its argument.

    `!Sub x` and `{"Fn::Sub": x}` are the same. No function: None, and the node.
    """
    if node.tag:
        return node.tag.lstrip("!").removeprefix("Fn::"), _untagged(node)
    if node.entries is not None and len(node.entries) == 1:
        ((key, value),) = node.entries.items()
        if key == "Ref" or key.startswith("Fn::"):
            return key.removeprefix("Fn::"), value
    return None, node


def _untagged(node: Node) -> Node:
    return Node(
        node.line,
        node.column,
        node.text,
        node.elements,
        node.entries,
        node.keys,
        "",
        node.style,
        node.end_line,
        node.end_column,
    )
